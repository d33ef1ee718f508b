"""Processing jobs: the SageMaker SDK 2's processors, and boto3 where a request goes wrong."""
import json
import os
import pathlib
import tempfile

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn.processing import SKLearnProcessor

from harness import Skipped, end_of, run, test, until

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-processing"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
s3, api, logs = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("logs")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)


def script(text):
    path = pathlib.Path(tempfile.mkdtemp()) / "process.py"
    path.write_text(text)
    return str(path)


def keys(prefix):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


def body(key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def wait(name):
    return end_of(api.describe_processing_job, seconds=90, ProcessingJobName=name)


SPLIT = """
import argparse, json, os
import pandas as pd
from sklearn.model_selection import train_test_split
parser = argparse.ArgumentParser()
parser.add_argument("--ratio", type=float)
ratio = parser.parse_args().ratio
base = "/opt/ml/processing"
rows = pd.read_csv(base + "/input/rows.csv", header=None)
train, test = train_test_split(rows, test_size=ratio, random_state=0)
train.to_csv(base + "/train/train.csv", index=False, header=False)
os.makedirs(base + "/test/deep")
test.to_csv(base + "/test/deep/test.csv", index=False, header=False)
config = json.load(open("/opt/ml/config/processingjobconfig.json"))
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
print("processed", len(rows), "rows as", config["ProcessingJobName"], "on", hosts["current_host"], os.environ["NOTE"])
os.makedirs("/opt/ml/output", exist_ok=True)
open("/opt/ml/output/message", "w").write("all is split")
"""


@test
def a_script_splits_data_with_the_sklearn_processor():
    np.savetxt("/tmp/rows.csv", np.arange(200).reshape(100, 2), delimiter=",", fmt="%d")
    source = session.upload_data("/tmp/rows.csv", bucket=bucket, key_prefix="raw")
    processor = SKLearnProcessor(
        framework_version="1.2-1", role=role, instance_type="ml.m5.large", instance_count=1, sagemaker_session=session, env={"NOTE": "noted"}
    )
    processor.run(
        code=script(SPLIT),
        arguments=["--ratio", "0.2"],
        inputs=[ProcessingInput(source=source, destination="/opt/ml/processing/input")],
        outputs=[
            ProcessingOutput(output_name="train", source="/opt/ml/processing/train", destination=f"s3://{bucket}/out/train"),
            ProcessingOutput(output_name="test", source="/opt/ml/processing/test", destination=f"s3://{bucket}/out/test"),
        ],
        wait=False,
    )
    name = processor.latest_job.job_name
    # As wait=True does, but for its ten seconds between two looks.
    session.logs_for_processing_job(name, wait=True, poll=1)
    job = api.describe_processing_job(ProcessingJobName=name)
    assert job["ProcessingJobStatus"] == "Completed" and job["ExitMessage"] == "all is split", job
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert keys("out/") == ["out/test/deep/test.csv", "out/train/train.csv"], keys("out/")
    assert len(body("out/train/train.csv").splitlines()) == 80
    events = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=f"{name}/")["events"]
    assert any(f"processed 100 rows as {name} on algo-1 noted" in event["message"] for event in events), events[-5:]
    assert name in [each["ProcessingJobName"] for each in api.list_processing_jobs()["ProcessingJobSummaries"]]


def request(name, code, **changes):
    s3.put_object(Bucket=bucket, Key=f"code/{name}.py", Body=code)
    where = "/opt/ml/processing"
    inputs = changes.pop("inputs", [])
    outputs = changes.pop("outputs", [])
    instances = changes.pop("instances", 1)
    return dict(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={"ImageUri": image, "ContainerEntrypoint": ["python3", f"{where}/input/code/{name}.py"], **changes.pop("app", {})},
        ProcessingInputs=[
            {"InputName": "code", "S3Input": {"S3Uri": f"s3://{bucket}/code/{name}.py", "LocalPath": f"{where}/input/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}},
            *inputs,
        ],
        ProcessingOutputConfig={"Outputs": outputs},
        ProcessingResources={"ClusterConfig": {"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}},
        **changes,
    )


def output(name, mode="EndOfJob"):
    path = f"/opt/ml/processing/{name}"
    return {"OutputName": name, "S3Output": {"S3Uri": f"s3://{bucket}/results/{name}", "LocalPath": path, "S3UploadMode": mode}}


@test
def several_instances_share_the_objects_and_see_each_other():
    for at in range(5):
        s3.put_object(Bucket=bucket, Key=f"parts/{at}", Body=str(at))
    code = """
import json, os, socket
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
names = [socket.gethostbyname(host) and host for host in hosts["hosts"]]
mine = sorted(os.listdir("/opt/ml/processing/parts"))
open("/opt/ml/processing/shares/" + hosts["current_host"], "w").write(json.dumps([names, mine]))
"""
    parts = {"S3Uri": f"s3://{bucket}/parts/", "LocalPath": "/opt/ml/processing/parts", "S3DataType": "S3Prefix", "S3InputMode": "File", "S3DataDistributionType": "ShardedByS3Key"}
    api.create_processing_job(**request("shares", code, instances=2, inputs=[{"InputName": "parts", "S3Input": parts}], outputs=[output("shares")]))
    job = wait("shares")
    assert job["ProcessingJobStatus"] == "Completed", job
    found = [json.loads(body(f"results/shares/algo-{at}")) for at in (1, 2)]
    assert found == [[["algo-1", "algo-2"], ["0", "2", "4"]], [["algo-1", "algo-2"], ["1", "3"]]], found


@test
def continuous_output_is_there_before_the_end_and_links_lead_nowhere():
    code = """
import os, time
folder = "/opt/ml/processing/live"
open(folder + "/first", "w").write("1")
os.symlink("/etc/passwd", folder + "/passwd")
os.symlink("/etc", folder + "/etc")
for _ in range(300):
    if os.path.exists("/opt/ml/processing/live/stop"): break
    time.sleep(0.1)
"""
    api.create_processing_job(**request("live", code, outputs=[output("live", "Continuous")]))
    until(lambda: keys("results/live/"), "stored")
    assert keys("results/live/") == ["results/live/first"], keys("results/live/")
    assert api.describe_processing_job(ProcessingJobName="live")["ProcessingJobStatus"] == "InProgress"
    api.stop_processing_job(ProcessingJobName="live")
    job = wait("live")
    assert job["ProcessingJobStatus"] == "Stopped", job
    assert keys("results/live/") == ["results/live/first"], keys("results/live/")
    api.delete_processing_job(ProcessingJobName="live")
    try:
        api.describe_processing_job(ProcessingJobName="live")
    except ClientError as error:
        assert "Could not find" in str(error), error
    else:
        raise AssertionError("a deleted job was described")


@test
def what_fails_says_why():
    failing = "import os, sys\nos.makedirs('/opt/ml/output', exist_ok=True)\nopen('/opt/ml/output/failure','w').write('no rows')\nopen('/opt/ml/processing/bad/x','w').write('x')\nsys.exit(3)\n"
    api.create_processing_job(**request("fails", failing, outputs=[output("bad")]))
    job = wait("fails")
    assert job["ProcessingJobStatus"] == "Failed" and job["FailureReason"] == "AlgorithmError: no rows, exit code: 3", job
    assert keys("results/bad/") == []
    api.create_processing_job(**request("no-program", "", app={"ContainerEntrypoint": ["/no/such/program"]}))
    job = wait("no-program")
    assert job["ProcessingJobStatus"] == "Failed", job
    assert job["FailureReason"].startswith("ClientError: CannotStartContainerError. "), job["FailureReason"]
    assert 'exec: "/no/such/program": no such file or directory' in job["FailureReason"], job["FailureReason"]
    # Its own code, and not the shell's.
    api.create_processing_job(**request("own-127", "import sys; sys.exit(127)"))
    assert wait("own-127")["FailureReason"] == "AlgorithmError: , exit code: 127"
    nothing = {"S3Uri": f"s3://{bucket}/nothing-here/", "LocalPath": "/opt/ml/processing/none", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    api.create_processing_job(**request("no-data", "", inputs=[{"InputName": "none", "S3Input": nothing}]))
    job = wait("no-data")
    assert job["ProcessingJobStatus"] == "Failed" and "No S3 objects found" in job["FailureReason"], job
    api.create_processing_job(**request("long", "import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 2}))
    assert wait("long")["ProcessingJobStatus"] == "Stopped"


@test
def outputs_that_cannot_be_stored_are_the_client_s_to_mend():
    s3.create_bucket(Bucket="going", CreateBucketConfiguration={"LocationConstraint": region})
    lasting = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("/opt/ml/processing/late/last").write_text("never stored before")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path("/opt/ml/processing/late/first").write_text("x")
time.sleep(600)
"""
    late = output("late", "Continuous")
    late["S3Output"]["S3Uri"] = "s3://going/late"
    api.create_processing_job(**request("late", lasting, outputs=[late]))
    until(lambda: s3.list_objects_v2(Bucket="going").get("Contents"), "the first file stored", seconds=90)
    s3.delete_object(Bucket="going", Key="late/first")
    s3.delete_bucket(Bucket="going")
    # Another job, at the same time.
    api.create_processing_job(**request("meanwhile", "print('fine')", outputs=[output("meanwhile")]))
    assert wait("meanwhile")["ProcessingJobStatus"] == "Completed"
    api.stop_processing_job(ProcessingJobName="late")
    job = wait("late")
    assert job["ProcessingJobStatus"] == "Failed", job
    assert job["FailureReason"] == "ClientError: Artifact upload failed: The specified bucket does not exist: going", job["FailureReason"]


@test
def an_accelerator_that_the_machine_lacks_is_told_in_the_first_lines_and_the_job_runs():
    if any(name.startswith("nvidia") for name in os.listdir("/dev")):
        raise Skipped("this machine has a GPU")
    wanted = request("gpu", "import os; print('visible', os.environ.get('CUDA_VISIBLE_DEVICES'))")
    wanted["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.p3.8xlarge"
    api.create_processing_job(**wanted)
    job = wait("gpu")
    assert job["ProcessingJobStatus"] == "Completed", job
    events = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix="gpu/")["events"]
    said = [event["message"] for event in events]
    assert "[salvia] ml.p3.8xlarge has 4 GPUs, this machine none: the job runs on the CPU." in said[0], said
    assert said[-1] == "visible None", said


@test
def wrong_requests_are_refused():
    outside = {"S3Uri": f"s3://{bucket}/x", "LocalPath": "/opt/ml/processing/../../etc", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    for changes, part in (
        ({"inputs": [{"InputName": "x", "S3Input": outside}]}, "must begin with /opt/ml/processing/"),
        ({"inputs": [{"InputName": "code", "S3Input": {**outside, "LocalPath": "/opt/ml/processing/y"}}]}, "used more than once"),
        ({"app": {"ImageUri": "own:1"}}, "cannot run the processing image own:1"),
        ({"RoleArn": f"arn:aws:iam::{account}:role/none"}, "role"),
    ):
        wanted = request("refused", "")
        wanted.update(request("refused", "", **{name: value for name, value in changes.items() if name != "RoleArn"}))
        wanted.update({name: value for name, value in changes.items() if name == "RoleArn"})
        try:
            api.create_processing_job(**wanted)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException" and part in str(error), error
        else:
            raise AssertionError(f"{changes} was accepted")


run()
