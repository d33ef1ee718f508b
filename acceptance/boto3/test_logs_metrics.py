"""CloudWatch Logs and CloudWatch, filled by jobs and by clients."""
import time
from datetime import datetime, timedelta, timezone

from clients import LOG_GROUP, blobs, bucket, channel, cloudwatch, describe, ended, expect_error, logs, make_bucket, metrics_of, put, start, train, until
from harness import run, test
from records import dense_tensor

rows, _ = blobs(500)
state = {}
now = datetime.now(timezone.utc)


def stream_of(job):
    (stream,) = logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job}/")["logStreams"]
    return stream


def events(**more):
    return logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=state["stream"], **more)


@test
def a_finished_job_is_read_forward_by_tokens_to_its_end_and_no_further():
    make_bucket()
    put("train.pbr", dense_tensor(rows))
    put("test.pbr", dense_tensor(rows[:100]))
    both = [channel(f"s3://{bucket}/train.pbr"), channel(f"s3://{bucket}/test.pbr", "test")]
    state["job"] = train("logged", *both, hyperparameters={"epochs": "5", "eval_metrics": '["msd","ssd"]'})
    state["stream"] = stream_of("logged")["logStreamName"]
    state["lines"] = [event["message"] for event in events(startFromHead=True)["events"]]
    assert len(state["lines"]) > 8 and "reading configuration" in state["lines"][0], state["lines"]
    assert "done in" in state["lines"][-1], state["lines"]
    read, token = [], None
    for _ in range(100):
        page = events(startFromHead=True, limit=3, **({"nextToken": token} if token else {}))
        read += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert read == state["lines"], read
    assert events(nextToken=token)["events"] == [], "the end's token gave more"


@test
def it_is_read_backward_too():
    read, token = [], None
    for _ in range(100):
        page = events(limit=4, **({"nextToken": token} if token else {}))
        read = [event["message"] for event in page["events"]] + read
        if page["nextBackwardToken"] == token:
            break
        token = page["nextBackwardToken"]
    assert read == state["lines"], read
    last = events(limit=2)["events"]
    assert [event["message"] for event in last] == state["lines"][-2:]


@test
def times_bound_what_is_read():
    all_events = events(startFromHead=True)["events"]
    middle = all_events[len(all_events) // 2]["timestamp"]
    before, after = events(startFromHead=True, endTime=middle)["events"], events(startFromHead=True, startTime=middle)["events"]
    assert all(event["timestamp"] < middle for event in before) and all(event["timestamp"] >= middle for event in after)
    assert len(before) + len(after) == len(all_events)
    described = stream_of("logged")
    assert described["firstEventTimestamp"] == all_events[0]["timestamp"], described
    assert described["lastEventTimestamp"] == all_events[-1]["timestamp"], described


def filtered(pattern, **more):
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=LOG_GROUP, filterPattern=pattern, PaginationConfig={"PageSize": 3}, **more
    )
    return [event["message"] for page in pages for event in page["events"]]


@test
def filter_patterns_find_lines_of_every_job():
    train("logged-more", channel(f"s3://{bucket}/train.pbr"), instances=2)
    assert [line for line in state["lines"] if "epoch" in line and "500" in line] == filtered("epoch 500", logStreamNamePrefix="logged/")
    assert len(filtered('"done in"')) == 3
    assert len(filtered('"done in"', logStreamNames=[state["stream"]])) == 1
    assert len(filtered('?"test msd" ?"test ssd"')) == 2
    assert len(filtered('quality_metric -"test ssd"')) == 1
    assert filtered("Quality_Metric") == []


@test
def a_running_job_can_be_tailed():
    start("tailed", channel(f"s3://{bucket}/train.pbr"), hyperparameters={"epochs": "3000"})
    until(lambda: logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix="tailed/")["logStreams"], "a stream")
    name, token, seen, growing = stream_of("tailed")["logStreamName"], None, [], 0
    deadline = time.monotonic() + 30
    while not (seen and "done in" in seen[-1]):
        assert time.monotonic() < deadline, seen[-3:]
        page = logs.get_log_events(
            logGroupName=LOG_GROUP, logStreamName=name, startFromHead=True, limit=500, **({"nextToken": token} if token else {})
        )
        token, lines = page["nextForwardToken"], [event["message"] for event in page["events"]]
        growing += bool(lines and describe("tailed")["TrainingJobStatus"] == "InProgress")
        seen += lines
        time.sleep(0.05)
    ended("tailed")
    whole = [
        event["message"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP, logStreamNames=[name])
        for event in page["events"]
    ]
    assert growing >= 1 and seen == whole, (growing, len(seen), len(whole))


@test
def clients_write_logs_of_their_own():
    logs.create_log_group(logGroupName="/mine", tags={"team": "a"})
    logs.create_log_stream(logGroupName="/mine", logStreamName="one")
    at = int(time.time() * 1000)
    lines = [{"timestamp": at + number, "message": f'{{"number": {number}, "text": "zeile ü"}}'} for number in range(20)]
    logs.put_log_events(logGroupName="/mine", logStreamName="one", logEvents=lines)
    found = logs.filter_log_events(logGroupName="/mine", filterPattern="{ $.number >= 18 }")["events"]
    assert [event["timestamp"] for event in found] == [at + 18, at + 19], found
    logs.put_retention_policy(logGroupName="/mine", retentionInDays=7)
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/mine")["logGroups"]
    assert group["retentionInDays"] == 7 and group["storedBytes"] > 0, group
    logs.delete_retention_policy(logGroupName="/mine")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/mine")["logGroups"]
    assert "retentionInDays" not in group
    arn = group["arn"].removesuffix(":*")
    logs.tag_resource(resourceArn=arn, tags={"stage": "1"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "1"}
    logs.delete_log_stream(logGroupName="/mine", logStreamName="one")
    assert logs.describe_log_streams(logGroupName="/mine")["logStreams"] == []
    logs.delete_log_group(logGroupName="/mine")
    expect_error("ResourceNotFoundException", "", logs.describe_log_streams, logGroupName="/mine")
    expect_error("ResourceAlreadyExistsException", "", logs.create_log_group, logGroupName=LOG_GROUP)


def statistics(metric, dimensions, names, namespace="/aws/sagemaker/TrainingJobs", **more):
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=dimensions,
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=3600,
        **names,
        **more,
    )
    return answer["Datapoints"]


def dimensions_of(metric, job):
    listed = cloudwatch.list_metrics(Namespace="/aws/sagemaker/TrainingJobs", MetricName=metric)["Metrics"]
    (found,) = [each["Dimensions"] for each in listed if job in [dimension["Value"] for dimension in each["Dimensions"]]]
    return found


@test
def the_metrics_of_a_job_are_in_cloudwatch():
    values = metrics_of(state["job"])
    for metric in ("test:msd", "test:ssd"):
        dimensions = dimensions_of(metric, "logged")
        points = statistics(metric, dimensions, {"Statistics": ["Average", "Maximum", "SampleCount"]})
        assert sum(point["SampleCount"] for point in points) == 1, points
        assert abs(points[0]["Average"] - values[metric]) < 1e-4 * values[metric], (points, values)


@test
def metric_data_gives_several_series_in_one_call():
    def query(name, metric):
        described = {"Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": metric, "Dimensions": dimensions_of(metric, "logged")}
        return {"Id": name, "MetricStat": {"Metric": described, "Period": 3600, "Stat": "Average"}}

    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query("msd", "test:msd"), query("ssd", "test:ssd")],
        StartTime=now - timedelta(minutes=70),
        EndTime=now + timedelta(minutes=70),
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    assert len(values["msd"]) == 1 and abs(values["ssd"][0] / values["msd"][0] - 100) < 1e-2, values


@test
def clients_put_metrics_of_their_own():
    dimensions = [{"Name": "line", "Value": "a b"}]
    data = [{"MetricName": "load", "Dimensions": dimensions, "Value": value, "Unit": "Percent", "Timestamp": now} for value in (1.0, 2.0, 6.0)]
    sets = {"SampleCount": 2, "Sum": 11, "Minimum": 5, "Maximum": 6}
    data.append({"MetricName": "load", "Dimensions": dimensions, "StatisticValues": sets, "Unit": "Percent", "Timestamp": now})
    cloudwatch.put_metric_data(Namespace="Mine", MetricData=data)
    wanted = {"Statistics": ["Sum", "Average", "Minimum", "Maximum", "SampleCount"]}
    (point,) = statistics("load", dimensions, wanted, namespace="Mine")
    assert (point["Sum"], point["Average"], point["Minimum"], point["Maximum"], point["SampleCount"]) == (20, 4, 1, 6, 5), point
    assert point["Unit"] == "Percent"
    names = [metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace="Mine")["Metrics"]]
    assert names == ["load"], names


run()
