"""Metrics from a job's log: a built-in algorithm's own definitions, and those that a script's job brings."""
import re
from datetime import datetime, timedelta, timezone

from clients import (
    blobs,
    bucket,
    channel,
    cloudwatch,
    describe,
    ended,
    expect_error,
    make_bucket,
    messages,
    metrics_of,
    put,
    sagemaker,
    train,
    training_request,
    until,
)
from harness import run, test
from records import dense_tensor

SCIKIT = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAMESPACE = "/aws/sagemaker/TrainingJobs"
rows, _ = blobs(200)
now = datetime.now(timezone.utc)


def script_request(name, script, definitions):
    specification = {
        "TrainingImage": SCIKIT,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["python3", "-uc", script],
        "MetricDefinitions": definitions,
    }
    return training_request(name, channel(f"s3://{bucket}/train.pbr"), AlgorithmSpecification=specification)


def series(job, metric, stat):
    """What GetMetricData has of the metric of that job, the values of all periods."""
    described = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": [{"Name": "TrainingJobName", "Value": job}]}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": described, "Period": 3600, "Stat": stat}}],
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(hours=2),
    )
    return answer["MetricDataResults"][0]["Values"]


def found_by(name, operator, value):
    filters = [{"Name": name, "Operator": operator, "Value": value}]
    results = sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": filters})["Results"]
    return [result["TrainingJob"]["TrainingJobName"] for result in results]


@test
def a_built_in_algorithm_s_definitions_find_its_own_lines():
    make_bucket()
    put("train.pbr", dense_tensor(rows))
    both = [channel(f"s3://{bucket}/train.pbr"), channel(f"s3://{bucket}/train.pbr", "test")]
    done = train("built-in", *both)
    (definition,) = [each for each in done["AlgorithmSpecification"]["MetricDefinitions"] if each["Name"] == "test:msd"]
    lines = [found[1] for found in (re.search(definition["Regex"], line) for line in messages("built-in")) if found]
    assert len(lines) == 1 and metrics_of(done)["test:msd"] == float(lines[0]), (lines, done["FinalMetricDataList"])
    assert series("built-in", "test:msd", "SampleCount") == [1.0]
    (value,) = series("built-in", "test:msd", "Average")
    assert abs(value - float(lines[0])) < 1e-9, (value, lines)


@test
def a_script_s_definitions_find_what_it_prints():
    definitions = [
        {"Name": "train:loss", "Regex": "loss: ([0-9.e-]+)"},
        {"Name": "validation:auc", "Regex": r".*\[[0-9]+\].*#011validation-auc:([-+]?[0-9]*\.?[0-9]+).*"},
        {"Name": "never", "Regex": "this is not printed: (.*)"},
    ]
    # An entrypoint's words have at most 256 characters and no line breaks.
    epoch = "print(f'epoch {e} loss: {2.0**-e}'), print(f'[{e}]\\ttrain-auc:0.9\\tvalidation-auc:{0.5+e/8}')"
    script = f"[({epoch}) for e in range(4)]; print('loss: nan')"
    sagemaker.create_training_job(**script_request("script", script, definitions))
    # Its Python environment is made first.
    until(lambda: describe("script")["TrainingJobStatus"] != "InProgress", "the end of the script", seconds=300, every=0.5)
    done = ended("script")
    assert done["AlgorithmSpecification"]["MetricDefinitions"] == definitions
    assert metrics_of(done) == {"train:loss": 0.125, "validation:auc": 0.875}, done["FinalMetricDataList"]
    for metric in done["FinalMetricDataList"]:
        assert done["TrainingStartTime"] <= metric["Timestamp"] <= done["LastModifiedTime"], metric
    assert series("script", "train:loss", "SampleCount") == [4.0]
    assert series("script", "train:loss", "Sum") == [1.875]
    assert series("script", "train:loss", "Minimum") == [0.125]
    assert series("script", "validation:auc", "Maximum") == [0.875]
    assert series("script", "never", "SampleCount") == []


@test
def the_instance_s_metrics_are_in_cloudwatch():
    script = "import os,time; open('/opt/ml/model/x','wb').write(os.urandom(64<<20)); time.sleep(13)"
    sagemaker.create_training_job(**script_request("instance", script, []))
    done = ended("instance")
    host = [{"Name": "Host", "Value": "instance/algo-1"}]
    period = {"StartTime": now - timedelta(hours=2), "EndTime": now + timedelta(hours=2), "Period": 3600}

    def points(metric):
        asked = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": host, "Statistics": ["Maximum"], **period}
        return [point["Maximum"] for point in cloudwatch.get_metric_statistics(**asked)["Datapoints"]]

    # 64 MB of a volume of 10 GB.
    (disk,) = points("DiskUtilization")
    assert 0.6 < disk < 0.8, disk
    (memory,) = points("MemoryUtilization")
    assert 0 < memory < 100, memory
    queries = [
        {"Id": f"m{at}", "MetricStat": {"Metric": {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": host}, "Period": 3600, "Stat": "Maximum"}}
        for at, name in enumerate(("CPUUtilization", "DiskUtilization"))
    ]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=period["StartTime"], EndTime=period["EndTime"])
    cpu, again = [result["Values"] for result in answer["MetricDataResults"]]
    assert len(cpu) == 1 and cpu[0] >= 0 and again == [disk], (cpu, again, done)


@test
def a_script_that_fills_its_volume_fails_and_the_next_job_runs():
    script = "f=open('/opt/ml/model/x','wb'); [f.write(b'x'*(1<<20)) for _ in range(1100)]; f.flush(); import time; time.sleep(60)"
    small = {"InstanceCount": 1, "InstanceType": "ml.c4.xlarge", "VolumeSizeInGB": 1}
    sagemaker.create_training_job(**{**script_request("full", script, []), "ResourceConfig": small})
    reason = ended("full", "Failed")["FailureReason"]
    assert reason.startswith("ClientError: ") and "volume of 1 GB" in reason and "VolumeSizeInGB" in reason, reason
    train("after-full", channel(f"s3://{bucket}/train.pbr"))


@test
def search_finds_jobs_by_their_final_metrics():
    assert found_by("Metrics.train:loss", "LessThan", "0.2") == ["script"]
    assert found_by("Metrics.train:loss", "GreaterThan", "0.2") == []
    assert found_by("FinalMetricDataList.MetricName", "Equals", "validation:auc") == ["script"]


@test
def definitions_that_cannot_be_used_are_refused_by_name():
    def refuse(part, definitions):
        expect_error("ValidationException", part, sagemaker.create_training_job, **script_request("refused", "1", definitions))

    refuse('metric definition "f1" cannot be used', [{"Name": "f1", "Regex": "(?<=f1=)(.*)"}])
    refuse('metric definition "large" cannot be used', [{"Name": "large", "Regex": "(.{0,1000}.{0,1000}x)"}])
    refuse("metricDefinitions", [{"Name": f"m{at}", "Regex": "(.*)"} for at in range(41)])
    refuse("regex", [{"Name": "long", "Regex": "a" * 501}])
    refuse("name", [{"Name": "n" * 256, "Regex": "(.*)"}])
    assert sagemaker.list_training_jobs(NameContains="refused")["TrainingJobSummaries"] == []


run()
