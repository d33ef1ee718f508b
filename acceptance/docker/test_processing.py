"""Processing jobs as containers: the SageMaker SDK 2's ScriptProcessor in a plain image of Python, and requests of boto3 where it has no words."""
import contextlib
import io
import json
import os
import pathlib
import tempfile

import boto3
import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor

from docker_base import debian as image
from docker_base import docker
from harness import Skipped, end_of, run, test, until

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-docker-processing"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
s3, api, logs = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("logs")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
base = "/opt/ml/processing"


def keys(prefix):
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
    return [item["Key"].removeprefix(f"{prefix}/") for item in listed]


def body(key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def ended(name):
    return end_of(api.describe_processing_job, seconds=90, ProcessingJobName=name)


@test
def the_base_image_is_there():
    if docker("image", "inspect", image).returncode != 0:
        raise Skipped(f"the base image {image} is missing: tools/docker/base-image makes it")


SCRIPT = """
import json, os, sys
lines = open("/opt/ml/processing/input/rows.txt").read().split()
json.dump([sys.argv[1:], os.environ["NOTE"], lines], open("/opt/ml/processing/output/told.json", "w"))
print("read", len(lines), "lines in", os.path.exists("/.dockerenv") and "a container")
print("complained", file=sys.stderr)
"""


@test
def a_script_processor_runs_a_local_script_in_a_container_and_shows_its_log():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "process.py").write_text(SCRIPT)
    (folder / "rows.txt").write_text("1\n2\n3\n")
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        env={"NOTE": "a \"quoted\" note"},
        base_job_name="script",
        sagemaker_session=session,
    )
    processor.run(
        code=str(folder / "process.py"),
        arguments=["--ratio", "0.2", "two words"],
        inputs=[ProcessingInput(source=str(folder / "rows.txt"), destination=f"{base}/input")],
        outputs=[ProcessingOutput(output_name="told", source=f"{base}/output", destination=f"s3://{bucket}/script")],
        wait=False,
    )
    name = processor.latest_job.job_name
    ended(name)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        session.logs_for_processing_job(name, wait=True, poll=1)
    assert "read 3 lines in a container" in printed.getvalue() and "complained" in printed.getvalue(), printed.getvalue()
    told = json.loads(body("script/told.json"))
    assert told == [["--ratio", "0.2", "two words"], "a \"quoted\" note", ["1", "2", "3"]], told


def output(name, mode="EndOfJob", **more):
    place = {"S3Uri": f"s3://{bucket}/results/{name}", "LocalPath": f"{base}/{name}", "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": place, **more}


def code_of(name):
    place = {"S3Uri": f"s3://{bucket}/code/{name}.py", "LocalPath": f"{base}/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": "code", "S3Input": place}


def start(name, code, *outputs, instances=1, app=None, inputs=(), **changes):
    s3.put_object(Bucket=bucket, Key=f"code/{name}.py", Body=code)
    cluster = {"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    request = dict(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification=app or {"ImageUri": image, "ContainerEntrypoint": ["python3", "-u", f"{base}/code/{name}.py"]},
        ProcessingInputs=[code_of(name), *inputs],
        ProcessingResources={"ClusterConfig": cluster},
        **changes,
    )
    if outputs:
        request["ProcessingOutputConfig"] = {"Outputs": list(outputs)}
    api.create_processing_job(**request)


@test
def the_image_s_own_program_and_arguments_count_where_the_request_has_none():
    # The image has a CMD and no ENTRYPOINT: arguments alone replace it.
    start("arguments", "", output("own"), app={"ImageUri": image, "ContainerArguments": ["sh", "-c", f"echo own > {base}/own/x"]})
    job = ended("arguments")
    assert job["ProcessingJobStatus"] == "Completed" and body("results/own/x") == "own\n", job


@test
def an_input_in_pipe_mode_is_a_fifo_for_each_time_it_is_read():
    for at in range(3):
        s3.put_object(Bucket=bucket, Key=f"rows/{at}", Body=f"{at}\n" * 50_000)
    place = {"S3Uri": f"s3://{bucket}/rows/", "LocalPath": f"{base}/in/rows", "S3DataType": "S3Prefix", "S3InputMode": "Pipe"}
    script = f"import os\nlengths = [len(open('{base}/in/rows_%d' % at).read()) for at in range(2)]\n"
    script += f"open('{base}/piped/lengths', 'w').write(str([lengths, os.path.exists('{base}/in/rows')]))\n"
    start("piped", script, output("piped"), inputs=[{"InputName": "rows", "S3Input": place}])
    job = ended("piped")
    assert job["ProcessingJobStatus"] == "Completed" and body("results/piped/lengths") == "[[300000, 300000], False]", job


CONFIG = """
import json, pathlib, socket
config = json.load(open("/opt/ml/config/processingjobconfig.json"))
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
addresses = {socket.gethostbyname(host) for host in hosts["hosts"]}
out = pathlib.Path("/opt/ml/processing/configs")
(out / (hosts["current_host"] + ".json")).write_text(json.dumps([config, hosts["hosts"], len(addresses)]))
pathlib.Path("/opt/ml/output").mkdir(exist_ok=True)
pathlib.Path("/opt/ml/output/message").write_text("from " + hosts["current_host"] + ". ")
"""


@test
def every_instance_knows_the_job_and_the_others_and_their_messages_follow_each_other():
    start("configs", CONFIG, output("configs"), instances=2, Environment={"NOTE": "x"})
    job = ended("configs")
    assert job["ProcessingJobStatus"] == "Completed" and job["ExitMessage"] == "from algo-1. from algo-2. ", job
    (one, *known), (other, *_) = [json.loads(body(f"results/configs/algo-{at}.json")) for at in (1, 2)]
    assert known == [["algo-1", "algo-2"], 2] and one == other, known
    code = code_of("configs")
    code["S3Input"].update(S3DataDistributionType="FullyReplicated", S3CompressionType="None")
    assert one == {
        "ProcessingJobArn": job["ProcessingJobArn"],
        "ProcessingJobName": "configs",
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["python3", "-u", f"{base}/code/configs.py"], "ContainerArguments": None},
        "Environment": {"NOTE": "x"},
        "ProcessingInputs": [{**code, "AppManaged": False}],
        "ProcessingOutputConfig": {"Outputs": [{**output("configs"), "AppManaged": False}], "KmsKeyId": None},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1, "VolumeKmsKeyId": None}
        },
        "RoleArn": role,
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    }, one


# Waits to be asked to end, as a program does that has its work half done.
STEPS = """
import os, pathlib, signal, sys, time
def end(*_):
    pathlib.Path("/opt/ml/processing/late/last").write_text("last")
    pathlib.Path("/opt/ml/processing/live/last").write_text("last")
    pathlib.Path("/opt/ml/output").mkdir(exist_ok=True)
    pathlib.Path("/opt/ml/output/message").write_text("asked to end")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
for name in ("live", "late"):
    folder = pathlib.Path("/opt/ml/processing") / name / "deep"
    folder.mkdir(parents=True)
    (folder / "first").write_text("first")
print("written", flush=True)
while True:
    time.sleep(0.1)
"""


@test
def continuous_outputs_are_there_while_the_job_runs_and_after_it_was_stopped():
    start("stopped", STEPS, output("live", "Continuous"), output("late"))
    until(lambda: keys("results/live"), "stored")
    assert keys("results/live") == ["deep/first"] and keys("results/late") == []
    assert api.describe_processing_job(ProcessingJobName="stopped")["ProcessingJobStatus"] == "InProgress"
    api.stop_processing_job(ProcessingJobName="stopped")
    job = ended("stopped")
    assert job["ProcessingJobStatus"] == "Stopped" and job["ExitMessage"] == "asked to end" and "FailureReason" not in job, job
    assert keys("results/live") == ["deep/first", "last"], keys("results/live")
    assert keys("results/late") == [], keys("results/late")


@test
def a_job_that_takes_too_long_is_stopped_and_says_so():
    start("long", STEPS.replace("/live", "/long").replace('"live"', '"long"'), output("long", "Continuous"), output("late"), StoppingCondition={"MaxRuntimeInSeconds": 8})
    job = ended("long")
    assert job["ProcessingJobStatus"] == "Stopped" and job["ExitMessage"] == "asked to end", job
    assert "MaxRuntimeInSeconds" in job["FailureReason"], job
    assert keys("results/long") == ["deep/first", "last"], keys("results/long")


FAILS = """
import pathlib, sys
for name in ("kept", "lost"):
    (pathlib.Path("/opt/ml/processing") / name / "x").write_text(name)
pathlib.Path("/opt/ml/output").mkdir(exist_ok=True)
pathlib.Path("/opt/ml/output/message").write_text("of no use " + "é" * 2000)
sys.exit(7)
"""


@test
def a_program_that_fails_leaves_its_message_and_continuous_outputs_alone():
    start("failing", FAILS, output("kept", "Continuous"), output("lost"))
    job = ended("failing")
    assert job["ProcessingJobStatus"] == "Failed" and job["FailureReason"] == "AlgorithmError: , exit code: 7", job
    assert job["ExitMessage"] == "of no use " + "é" * 1014, job["ExitMessage"]
    assert keys("results/kept") == ["x"] and keys("results/lost") == []


@test
def a_message_that_is_not_utf_8_fails_the_job():
    code = "import os; os.makedirs('/opt/ml/output', exist_ok=True); open('/opt/ml/output/message', 'wb').write(b'\\xff\\xfe\\x00')"
    start("binary", code)
    job = ended("binary")
    assert job["ProcessingJobStatus"] == "Failed" and job["FailureReason"].startswith("ClientError: /opt/ml/output/message is not UTF-8"), job


@test
def what_the_program_stores_itself_is_left_to_it():
    code = f"import os; os.makedirs('{base}/managed', exist_ok=True); open('{base}/managed/x', 'w').write('x'); open('{base}/stored/x', 'w').write('x')"
    start("managed", code, output("managed", AppManaged=True), output("stored", AppManaged=False))
    job = ended("managed")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert keys("results/managed") == [] and keys("results/stored") == ["x"]
    assert [each["AppManaged"] for each in job["ProcessingOutputConfig"]["Outputs"]] == [True, False], job


run()
