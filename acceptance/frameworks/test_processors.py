"""The processors of the SageMaker SDK 2 in scikit-learn's image: ScriptProcessor and FrameworkProcessor, with their logs, as people call them."""
import contextlib
import io
import json
import os
import pathlib
import tempfile

import boto3
import sagemaker
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.estimator import SKLearn

from harness import end_of, run, test

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-processors"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
s3, api = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
here = pathlib.Path(__file__).parent / "processing"


def written(text, name):
    path = pathlib.Path(tempfile.mkdtemp()) / name
    path.write_text(text)
    return str(path)


rows = written("1\n2\n3\n", "rows.txt")


def body(uri):
    bucket_name, _, key = uri.removeprefix("s3://").partition("/")
    return s3.get_object(Bucket=bucket_name, Key=key)["Body"].read().decode()


def shown(processor, **given):
    """What `run(wait=True, logs=True)` prints, and what it raises; of a job that has ended, since it looks every half minute."""
    processor.run(wait=False, **given)
    end_of(api.describe_processing_job, seconds=120, ProcessingJobName=processor.latest_job.job_name)
    printed = io.StringIO()
    raised = None
    with contextlib.redirect_stdout(printed):
        try:
            session.logs_for_processing_job(processor.latest_job.job_name, wait=True, poll=1)
        except sagemaker.exceptions.UnexpectedStatusException as error:
            raised = error
    return printed.getvalue(), raised


SCRIPT = """
import json, os, sys
lines = open("/opt/ml/processing/input/rows.txt").read().split()
json.dump([sys.argv[1:], os.environ["NOTE"], lines], open("/opt/ml/processing/output/told.json", "w"))
print("read", len(lines), "lines")
print("complained", file=sys.stderr)
"""


@test
def a_script_processor_runs_a_local_script_and_shows_its_log():
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3", "-u"],
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        env={"NOTE": "a \"quoted\" note"},
        base_job_name="script",
        sagemaker_session=session,
    )
    printed, raised = shown(
        processor,
        code=written(SCRIPT, "process.py"),
        arguments=["--ratio", "0.2", "two words"],
        inputs=[ProcessingInput(source=rows, destination="/opt/ml/processing/input")],
        outputs=[ProcessingOutput(output_name="told", source="/opt/ml/processing/output")],
    )
    assert raised is None, raised
    assert "read 3 lines" in printed and "complained" in printed, printed
    described = processor.latest_job.describe()
    assert described["AppSpecification"]["ContainerEntrypoint"] == ["python3", "-u", "/opt/ml/processing/input/code/process.py"]
    # The SDK chose where the output goes.
    uri = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    told = json.loads(body(f"{uri}/told.json"))
    assert told == [["--ratio", "0.2", "two words"], "a \"quoted\" note", ["1", "2", "3"]], told


def framework_processor(**changes):
    return FrameworkProcessor(
        estimator_cls=SKLearn,
        framework_version="1.2-1",
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        env={"NOTE": "noted"},
        sagemaker_session=session,
        **changes,
    )


def framework_run(processor, arguments, to):
    return shown(
        processor,
        code="process.py",
        source_dir=str(here / "source"),
        dependencies=[str(here / "dependencies" / "rows")],
        arguments=arguments,
        inputs=[ProcessingInput(source=rows, destination="/opt/ml/processing/input/rows")],
        outputs=[ProcessingOutput(output_name="told", source="/opt/ml/processing/output", destination=f"s3://{bucket}/{to}")],
    )


@test
def a_framework_processor_brings_its_folder_dependencies_and_requirements():
    processor = framework_processor(command=["python3"])
    printed, raised = framework_run(processor, ["--n", "5"], "framework")
    assert raised is None, (raised, printed[-3000:])
    described = processor.latest_job.describe()
    assert described["AppSpecification"]["ContainerEntrypoint"] == ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"]
    assert "read 3 rows" in printed, printed[-3000:]
    told = json.loads(body(f"s3://{bucket}/framework/told.json"))
    assert told == {
        "arguments": ["--n", "5"],
        "folder": "/opt/ml/processing/input/code",
        "job": processor.latest_job.job_name,
        "note": "noted",
        "rows": "3 rows",
        "sum": 6,
        "sklearn": "1.2.1",
        "humanize": "4.9.0",
    }, told


@test
def what_one_job_installs_the_next_does_not_find():
    processor = ScriptProcessor(
        image_uri=image, command=["python3"], role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
    )
    printed, raised = shown(processor, code=written("import humanize\n", "process.py"))
    assert raised is not None and "No module named 'humanize'" in printed, (raised, printed[-3000:])


@test
def a_framework_processor_s_script_that_fails_fails_the_job_and_leaves_no_output():
    processor = framework_processor()
    printed, raised = framework_run(processor, ["--fail"], "failed")
    assert raised is not None and "ValueError: told to fail" in printed, (raised, printed[-3000:])
    described = processor.latest_job.describe()
    assert described["ProcessingJobStatus"] == "Failed" and described["FailureReason"].endswith("exit code: 1"), described
    assert s3.list_objects_v2(Bucket=bucket, Prefix="failed/").get("Contents", []) == []


run()
