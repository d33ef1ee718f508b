"""The processors of the SageMaker Python SDK 3, unpatched, in scikit-learn's image: ScriptProcessor and FrameworkProcessor."""
import contextlib
import io
import json
import os
import pathlib
import tempfile

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor, logs_for_processing_job
from sagemaker.core.resources import ProcessingJob
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output

from harness import end_of, run, test

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-sdk3-processing"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
s3, api = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = Session(default_bucket=bucket)
sources = pathlib.Path(__file__).parents[1] / "frameworks" / "processing"


def written(text, name):
    path = pathlib.Path(tempfile.mkdtemp()) / name
    path.write_text(text)
    return str(path)


rows = written("1\n2\n3\n", "rows.txt")


def input_of(source, path):
    place = ProcessingS3Input(s3_uri=source, local_path=path, s3_data_type="S3Prefix", s3_input_mode="File")
    return ProcessingInput(input_name="rows", s3_input=place)


def output_to(name):
    place = ProcessingS3Output(s3_uri=f"s3://{bucket}/{name}", local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name="told", s3_output=place)


def body(key):
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def shown(processor, **given):
    """What `run(wait=True, logs=True)` prints; of a job that has ended, since it looks every half minute."""
    processor.run(wait=False, **given)
    end_of(api.describe_processing_job, seconds=120, ProcessingJobName=processor.latest_job.processing_job_name)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        logs_for_processing_job(session, processor.latest_job.processing_job_name, wait=True, poll=1)
    return printed.getvalue()


SCRIPT = """
import json, os, sys
lines = open("/opt/ml/processing/input/rows/rows.txt").read().split()
json.dump([sys.argv[1:], os.environ["NOTE"], lines], open("/opt/ml/processing/output/told.json", "w"))
print("read", len(lines), "lines")
"""


@test
def a_script_processor_runs_a_local_script_and_shows_its_log():
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        env={"NOTE": "noted"},
        base_job_name="script",
        sagemaker_session=session,
    )
    printed = shown(
        processor,
        code=written(SCRIPT, "process.py"),
        arguments=["--ratio", "0.2"],
        inputs=[input_of(rows, "/opt/ml/processing/input/rows")],
        outputs=[output_to("script")],
    )
    assert "read 3 lines" in printed, printed
    assert body("script/told.json") == [["--ratio", "0.2"], "noted", ["1", "2", "3"]], body("script/told.json")
    job = ProcessingJob.get(processor.latest_job.processing_job_name)
    assert job.processing_job_status == "Completed" and job.environment == {"NOTE": "noted"}, job
    assert job.app_specification.container_entrypoint == ["python3", "/opt/ml/processing/input/code/process.py"]


@test
def a_framework_processor_brings_its_folder_dependencies_and_requirements():
    processor = FrameworkProcessor(
        image_uri=image,
        command=["python3"],
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        env={"NOTE": "noted"},
        base_job_name="framework",
        sagemaker_session=session,
    )
    printed = shown(
        processor,
        code="process.py",
        source_dir=str(sources / "source"),
        dependencies=[str(sources / "dependencies" / "rows")],
        requirements="requirements.txt",
        arguments=["--n", "5"],
        inputs=[input_of(rows, "/opt/ml/processing/input/rows")],
        outputs=[output_to("framework")],
    )
    assert "read 3 rows" in printed, printed[-3000:]
    told = body("framework/told.json")
    assert told["arguments"] == ["--n", "5"] and told["sum"] == 6 and told["humanize"] == "4.9.0", told
    assert told["folder"] == "/opt/ml/processing/input/code" and told["sklearn"] == "1.2.1", told


@test
def a_script_that_fails_is_raised_with_its_reason():
    processor = ScriptProcessor(
        image_uri=image, command=["python3"], role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session
    )
    code = "import os\nos.makedirs('/opt/ml/output', exist_ok=True)\nopen('/opt/ml/output/message', 'w').write('of no use')\nraise ValueError('told to fail')\n"
    processor.run(code=written(code, "process.py"), wait=False)
    try:
        processor.latest_job.wait(poll=1, timeout=120)
    except FailedStatusError as error:
        assert "exit code: 1" in str(error), error
    else:
        raise AssertionError("a job that fails was waited for and nothing was raised")
    job = ProcessingJob.get(processor.latest_job.processing_job_name)
    assert job.processing_job_status == "Failed" and job.exit_message == "of no use", job


run()
