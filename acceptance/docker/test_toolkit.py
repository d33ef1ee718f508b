"""Script mode in a container with SageMaker's own training toolkit: it fetches the code with boto3, so credentials and endpoint must be
where AWS's SDKs look for them."""
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.pytorch import PyTorch

from docker_base import build_flags, docker, docker_output, make_base
from harness import Skipped, files_of, run, test
from sdk2_waits import fitted

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-toolkit"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
here = pathlib.Path(__file__).parent / "toolkit"
image = "salvia-acceptance/toolkit:1"
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
state = {}


@test
def an_image_with_the_toolkit_is_built():
    make_base()
    built = docker("build", *build_flags(), "--tag", image, here, seconds=400)
    assert built.returncode == 0, built.stderr[-3000:] + built.stdout[-3000:]
    state["has image"] = True


@test
def the_toolkit_runs_a_script_on_two_instances():
    if not state.get("has image"):
        raise Skipped("there is no image with the toolkit")
    for part in range(3):
        s3.put_object(Bucket=bucket, Key=f"rows/{part}.csv", Body=b"1")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for file in (here / "source").iterdir():
            archive.add(file, file.name)
    s3.put_object(Bucket=bucket, Key="code/sourcedir.tar.gz", Body=packed.getvalue())
    estimator = Estimator(
        image_uri=image,
        role=role,
        instance_count=2,
        instance_type="ml.m5.large",
        output_path=f"s3://{bucket}/out",
        sagemaker_session=sagemaker.Session(default_bucket=bucket),
        hyperparameters={
            "hp1": "value1",
            "hp2": 300,
            "hp3": 0.001,
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{bucket}/code/sourcedir.tar.gz",
        },
    )
    job, log = fitted(estimator, {"training": f"s3://{bucket}/rows/"})
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log[-3000:])
    assert 'SM_HPS is {"hp1":"value1","hp2":300,"hp3":0.001}' in log, log[-3000:]
    assert 'SM_CHANNELS is ["training"]' in log
    for host in ("algo-1", "algo-2"):
        assert f'says 6.1 on {host} of ["algo-1","algo-2"]' in log, log[-3000:]
    assert log.count("3 files, 3 objects, as SalviaExecutionRole") == 2, log[-3000:]
    assert sorted(files_of(s3, job["ModelArtifacts"]["S3ModelArtifacts"])) == ["algo-1.txt", "algo-2.txt"]
    state["named"] = [json.loads(re.search(rf"{what} is (\[.*\])", log).group(1)) for what in ("SM_NAMES", "TRAINING_ENV")]


NAMES = """
import json
from salvia.environment import Training
found = Training("module").variables()
print(json.dumps([sorted(found), sorted(json.loads(found["SM_TRAINING_ENV"]))]))
"""


@test
def scripts_without_a_container_find_the_same_variables():
    if "named" not in state:
        raise Skipped("the toolkit ran nothing")
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "input" / "config"
        config.mkdir(parents=True)
        given = {"hp1": '"value1"', "hp2": "300", "hp3": "0.001", "sagemaker_program": '"train.py"'}
        (config / "hyperparameters.json").write_text(json.dumps(given))
        (config / "inputdataconfig.json").write_text('{"training": {}}')
        (config / "resourceconfig.json").write_text('{"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}')
        python = str(pathlib.Path(__file__).resolve().parents[2] / "python")
        environment = {**os.environ, "PYTHONPATH": python, "SAGEMAKER_BASE_DIR": folder}
        said = subprocess.run([sys.executable, "-c", NAMES], env=environment, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    for own, theirs in zip(json.loads(said.stdout), state["named"]):
        assert own == theirs, (sorted(set(theirs) - set(own)), sorted(set(own) - set(theirs)))


@test
def a_framework_s_image_that_is_in_the_engine_runs_as_the_container_that_it_is():
    if not state.get("has image"):
        raise Skipped("there is no image with the toolkit")
    estimator = PyTorch(
        entry_point="train.py",
        source_dir=str(here / "source"),
        framework_version="2.0.0",
        py_version="py310",
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{bucket}/out",
        sagemaker_session=sagemaker.Session(default_bucket=bucket),
    )
    # As `docker pull` leaves it, for those who have an account of AWS.
    name = estimator.training_image_uri()
    docker_output("tag", image, name)
    try:
        job, log = fitted(estimator, {"training": f"s3://{bucket}/rows/"})
    finally:
        docker_output("rmi", name)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), log[-3000:])
    assert 'says 6.1 on algo-1 of ["algo-1"]' in log and "3 files, 3 objects, as SalviaExecutionRole" in log, log[-3000:]
    # Of the toolkit in the image, and nothing of an environment that stands for it.
    assert "sagemaker-training-toolkit" in log and "Framework asked for" not in log, log[-3000:]


run()
