"""The life of training jobs: stopping, limits, waiting in line, failing, being found and deleted."""
import time
from datetime import datetime, timedelta, timezone

import numpy as np

from clients import (
    IMAGE,
    assert_true_centres,
    blobs,
    bucket,
    centres_of,
    channel,
    describe,
    ended,
    expect_error,
    make_bucket,
    messages,
    metrics_of,
    put,
    role,
    sagemaker,
    start,
    train,
    training_request,
    until,
)
from harness import run, test
from records import dense_tensor

rows, _ = blobs(2000)
forever = {"epochs": "1000000"}
data = channel(f"s3://{bucket}/train.pbr")


def steps_of(described):
    return [step["Status"] for step in described["SecondaryStatusTransitions"]]


def training(job, hosts=1):
    """Waits until each host has read all of its data: only what a host has read, and the first host has heard of, is in a stopped job's model."""
    for number in range(1, hosts + 1):
        host = f"algo-{number}"
        until(lambda: any("epoch 1 " in message for message in messages(job, host)), f"{host} of {job} in its second epoch")
        if number > 1:
            connected = f"{host} is connected"
            until(lambda: any(connected in message for message in messages(job, "algo-1")), connected)


@test
def a_stopped_job_keeps_the_model_it_had():
    make_bucket()
    put("train.pbr", dense_tensor(rows))
    start("stopped", data, hyperparameters=forever)
    training("stopped")
    sagemaker.stop_training_job(TrainingJobName="stopped")
    assert describe("stopped")["TrainingJobStatus"] in ("Stopping", "Stopped")
    done = ended("stopped", "Stopped")
    assert done["SecondaryStatus"] == "Stopped", done
    assert steps_of(done) == ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"], steps_of(done)
    assert_true_centres(done)
    assert any("asked to stop" in message for message in messages("stopped"))
    assert "FailureReason" not in done
    assert done["TrainingTimeInSeconds"] >= 1 and done["BillableTimeInSeconds"] >= 1


@test
def a_stopped_job_of_two_instances_keeps_its_merged_model():
    start("stopped-both", data, instances=2, hyperparameters=forever)
    training("stopped-both", hosts=2)
    sagemaker.stop_training_job(TrainingJobName="stopped-both")
    assert_true_centres(ended("stopped-both", "Stopped"))


@test
def a_job_that_has_ended_cannot_be_stopped():
    expect_error("ValidationException", "Stopped", sagemaker.stop_training_job, TrainingJobName="stopped")
    expect_error("ValidationException", "not found", sagemaker.stop_training_job, TrainingJobName="nobody")


@test
def the_time_limit_stops_a_job_and_its_model_is_kept():
    done = train_to_limit("limited")
    assert done["SecondaryStatus"] == "MaxRuntimeExceeded", done
    assert steps_of(done)[-1] == "MaxRuntimeExceeded" and "MaxRuntimeInSeconds" in done["SecondaryStatusTransitions"][-1]["StatusMessage"]
    assert 2 <= done["TrainingTimeInSeconds"] <= 8, done
    assert_true_centres(done)


def train_to_limit(job):
    start(job, data, hyperparameters=forever, StoppingCondition={"MaxRuntimeInSeconds": 2})
    return ended(job, "Stopped")


@test
def a_job_waits_until_there_are_instances_and_says_so():
    start("holding", data, hyperparameters=forever)
    until(lambda: describe("holding")["SecondaryStatus"] == "Training", "holding one of the two instances")
    start("waiting", data, instances=2)
    start("behind", data)

    def message():
        described = describe("waiting")
        assert described["SecondaryStatus"] == "Starting", described
        text = described["SecondaryStatusTransitions"][-1]["StatusMessage"]
        return "instance" in text and text

    until(message, "told to wait")
    # First come, first served: the one behind would fit, and must not overtake.
    time.sleep(1)
    assert describe("behind")["SecondaryStatus"] == "Starting"
    assert "TrainingStartTime" not in describe("waiting")
    sagemaker.stop_training_job(TrainingJobName="holding")
    ended("holding", "Stopped")
    first, second = ended("waiting"), ended("behind")
    assert steps_of(first) == ["Starting", "Downloading", "Training", "Uploading", "Completed"], steps_of(first)
    assert first["TrainingStartTime"] <= second["TrainingStartTime"]


@test
def a_waiting_job_can_be_stopped():
    start("holding-again", data, instances=2, hyperparameters=forever)
    until(lambda: describe("holding-again")["SecondaryStatus"] == "Training", "holding both instances")
    start("gave-up", data)
    sagemaker.stop_training_job(TrainingJobName="gave-up")
    done = ended("gave-up", "Stopped")
    assert "TrainingStartTime" not in done and "ModelArtifacts" not in done or not done["ModelArtifacts"].get("S3ModelArtifacts")
    sagemaker.stop_training_job(TrainingJobName="holding-again")
    ended("holding-again", "Stopped")


@test
def more_instances_than_there_are_is_a_limit_exceeded():
    request = training_request("too-big", data, instances=3)
    response = expect_error(
        "ResourceLimitExceeded", "'ml.c4.xlarge for training job usage' is 2 Instances", sagemaker.create_training_job, **request
    )
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    expect_error("ValidationException", "not found", sagemaker.describe_training_job, TrainingJobName="too-big")


@test
def a_failure_keeps_its_reason():
    put("broken.pbr", dense_tensor(rows[:10]) + b"\1\2\3\4\5\6\7\10")
    start("broken", channel(f"s3://{bucket}/broken.pbr"))
    start("no-bucket", channel("s3://there-is-no-such-bucket/x"))
    start("no-output", data, OutputDataConfig={"S3OutputPath": "s3://there-is-no-such-bucket/x"})
    start("wide", data, hyperparameters={"feature_dim": "5"})
    parts = {"broken": "record 11", "no-bucket": "there-is-no-such-bucket", "no-output": "there-is-no-such-bucket", "wide": "feature_dim is 5"}
    for job, part in parts.items():
        done = ended(job, "Failed")
        assert done["SecondaryStatus"] == "Failed" and steps_of(done)[-1] == "Failed", done
        assert part in done["FailureReason"] and len(done["FailureReason"]) <= 1024, done["FailureReason"]
        assert describe(job)["FailureReason"] == done["FailureReason"]
    assert any("record 11" in message for message in messages("broken"))


@test
def requests_that_make_no_sense_are_refused_at_once():
    create = sagemaker.create_training_job

    def refuse(code, part, **changes):
        expect_error(code, part, create, **training_request("refused", data, **changes))

    refuse("ValidationException", "resnet", AlgorithmSpecification={"TrainingImage": "x.dkr.ecr.us-west-2.amazonaws.com/resnet:1", "TrainingInputMode": "File"})
    refuse("AccessDeniedException", "Cross-account pass role", RoleArn="arn:aws:iam::999999999999:role/other")
    refuse("ValidationException", "s3://", OutputDataConfig={"S3OutputPath": "https://bucket/key"})
    expect_error("ValidationException", "more than once", create, **training_request("refused", data, data))
    definitions = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "MetricDefinitions": [{"Name": "a", "Regex": "b"}]}
    refuse("ValidationException", "override the metric definitions", AlgorithmSpecification=definitions)
    assert sagemaker.list_training_jobs(NameContains="refused")["TrainingJobSummaries"] == []


@test
def a_job_without_a_network_works_alone_and_together():
    put("test.pbr", dense_tensor(rows[:100]))
    both = [data, channel(f"s3://{bucket}/test.pbr", "test")]
    start("isolated", *both, EnableNetworkIsolation=True, Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "1"}])
    start("isolated-two", *both, instances=2, EnableNetworkIsolation=True)
    for job in ("isolated", "isolated-two"):
        done = ended(job)
        assert done["EnableNetworkIsolation"] is True
        assert_true_centres(done)


@test
def tags_come_with_the_job():
    arn = describe("isolated")["TrainingJobArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {"team": "a", "stage": "1"}, tags
    request = training_request("twice", data, Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])
    expect_error("ValidationException", "", sagemaker.create_training_job, **request)


def found(*filters, **more):
    expression = {"Filters": [{"Name": name, "Operator": operator, "Value": value} for name, operator, value in filters]}
    results = sagemaker.search(Resource="TrainingJob", SearchExpression=expression, MaxResults=100, **more)["Results"]
    return [result["TrainingJob"]["TrainingJobName"] for result in results]


@test
def jobs_are_found_by_hyperparameter_metric_status_and_tag():
    for k in (1, 2, 8):
        both = [data, channel(f"s3://{bucket}/test.pbr", "test")]
        start(f"searched-{k}", *both, hyperparameters={"k": str(k)}, Tags=[{"Key": "sweep", "Value": "k"}])
    msd = {f"searched-{k}": metrics_of(ended(f"searched-{k}"))["test:msd"] for k in (1, 2, 8)}
    assert msd["searched-1"] > msd["searched-2"] > msd["searched-8"], msd
    sweep = ("Tags.sweep", "Equals", "k")
    assert found(sweep, SortBy="Metrics.test:msd", SortOrder="Ascending") == ["searched-8", "searched-2", "searched-1"]
    assert found(sweep, SortBy="HyperParameters.k", SortOrder="Descending") == ["searched-8", "searched-2", "searched-1"]
    assert found(sweep, ("HyperParameters.k", "Equals", "2")) == ["searched-2"]
    assert sorted(found(sweep, ("HyperParameters.k", "GreaterThan", "1"))) == ["searched-2", "searched-8"]
    middle = str(msd["searched-2"])
    assert sorted(found(sweep, ("Metrics.test:msd", "LessThanOrEqualTo", middle))) == ["searched-2", "searched-8"]
    stopped = found(("TrainingJobStatus", "Equals", "Stopped"), SortBy="TrainingJobName", SortOrder="Ascending")
    assert stopped == ["gave-up", "holding", "holding-again", "limited", "stopped", "stopped-both"], stopped
    assert found(("TrainingJobStatus", "Equals", "Failed"), ("FailureReason", "Contains", "record 11")) == ["broken"]


@test
def searches_go_on_page_by_page_and_combine_filters():
    pages = sagemaker.get_paginator("search").paginate(
        Resource="TrainingJob",
        SortBy="CreationTime",
        SortOrder="Ascending",
        SearchExpression={
            "Operator": "Or",
            "SubExpressions": [
                {"Filters": [{"Name": "TrainingJobName", "Operator": "Contains", "Value": "isolated"}]},
                {"Filters": [{"Name": "Tags.sweep", "Operator": "Exists"}]},
            ],
        },
        PaginationConfig={"PageSize": 2},
    )
    pages = [[result["TrainingJob"]["TrainingJobName"] for result in page["Results"]] for page in pages]
    assert [len(page) for page in pages] == [2, 2, 1], pages
    assert sum(pages, []) == ["isolated", "isolated-two", "searched-1", "searched-2", "searched-8"], pages


def listed(**arguments):
    pages = sagemaker.get_paginator("list_training_jobs").paginate(**arguments)
    return [[summary["TrainingJobName"] for summary in page["TrainingJobSummaries"]] for page in pages]


@test
def lists_filter_and_sort():
    assert listed(StatusEquals="Failed", SortBy="Name", SortOrder="Ascending") == [["broken", "no-bucket", "no-output", "wide"]]
    assert listed(NameContains="searched", SortBy="CreationTime", SortOrder="Descending") == [["searched-8", "searched-2", "searched-1"]]
    second = describe("searched-2")["CreationTime"]
    assert listed(NameContains="searched", CreationTimeAfter=second + timedelta(milliseconds=1)) == [["searched-8"]]
    assert listed(NameContains="searched", CreationTimeBefore=second - timedelta(milliseconds=1)) == [["searched-1"]]
    assert listed(LastModifiedTimeAfter=datetime.now(timezone.utc) + timedelta(hours=1)) == [[]]
    statuses = [
        summary["TrainingJobStatus"]
        for page in sagemaker.get_paginator("list_training_jobs").paginate(SortBy="Status", SortOrder="Ascending")
        for summary in page["TrainingJobSummaries"]
    ]
    assert statuses == sorted(statuses) and len(set(statuses)) == 3, statuses


@test
def a_list_in_pages_misses_nothing_and_repeats_nothing_while_jobs_come():
    everything = sum(listed(SortBy="Name", SortOrder="Ascending"), [])
    seen, token, at = [], None, 0
    while True:
        more = {"NextToken": token} if token else {}
        page = sagemaker.list_training_jobs(SortBy="Name", SortOrder="Ascending", MaxResults=3, **more)
        seen += [summary["TrainingJobName"] for summary in page["TrainingJobSummaries"]]
        token = page.get("NextToken")
        if not token:
            break
        for name in (f"aaa-{at}", f"zzz-{at}") if at < 2 else ():
            start(name, channel(f"s3://{bucket}/nothing"))
        at += 1
    assert len(seen) == len(set(seen)), seen
    assert [name for name in seen if not name.startswith("zzz")] == everything, seen
    assert {"zzz-0", "zzz-1"} <= set(seen), seen
    expect_error("ValidationException", "NextToken", sagemaker.list_training_jobs, NextToken="nonsense")


@test
def a_job_is_deleted_only_once_it_has_ended_and_its_name_is_free_again():
    start("deleted", data, hyperparameters=forever)
    expect_error("ResourceInUse", "InProgress", sagemaker.delete_training_job, TrainingJobName="deleted")
    training("deleted")
    sagemaker.stop_training_job(TrainingJobName="deleted")
    ended("deleted", "Stopped")
    sagemaker.delete_training_job(TrainingJobName="deleted")
    expect_error("ValidationException", "not found", sagemaker.describe_training_job, TrainingJobName="deleted")
    assert listed(NameContains="deleted") == [[]]
    again = train("deleted", data)
    assert_true_centres(again)
    assert np.isfinite(centres_of(again)).all()


@test
def a_job_takes_over_the_warm_pool_of_the_one_before_and_ends_it():
    def warm(name, seconds):
        request = training_request(name, data, instances=2)
        request["ResourceConfig"]["KeepAlivePeriodInSeconds"] = seconds
        sagemaker.create_training_job(**request)
        return ended(name, "Completed")

    assert warm("warm-1", 600)["WarmPoolStatus"] == {"Status": "Available"}
    # The pool has all the instances there are: only a job like the one before has no need to end it.
    assert warm("warm-2", 600)["WarmPoolStatus"] == {"Status": "Available"}
    first = describe("warm-1")["WarmPoolStatus"]
    assert first["Status"] == "Reused" and first["ReusedByJob"] == "warm-2", first
    found = sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == ["warm-2"], found
    sagemaker.update_training_job(TrainingJobName="warm-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    until(lambda: describe("warm-2")["WarmPoolStatus"]["Status"] == "Terminated", "the end of the pool")
    assert warm("warm-3", 600)["WarmPoolStatus"] == {"Status": "Available"}
    assert train("cold", data)["TrainingJobStatus"] == "Completed"
    until(lambda: describe("warm-3")["WarmPoolStatus"]["Status"] == "Terminated", "the pool makes room")


run()
