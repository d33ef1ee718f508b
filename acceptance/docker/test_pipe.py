"""A container of one's own that reads its data in Pipe mode, with the SageMaker SDK 2, unpatched."""
import json
import os
import pathlib
import subprocess

import boto3
import sagemaker
from sagemaker.estimator import Estimator

from harness import files_of, run, test

region = os.environ["AWS_DEFAULT_REGION"]
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-pipe"
s3, logs, api = boto3.client("s3"), boto3.client("logs"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
image = f"salvia-acceptance/pipe:{os.getpid()}"
here = pathlib.Path(__file__).parent
sizes = [1_000_003, 70_001, 12]


@test
def five_epochs_are_read_through_five_pipes():
    subprocess.run(["docker", "build", "-q", "-t", image, str(here / "pipe")], check=True, capture_output=True)
    try:
        for at, size in enumerate(sizes):
            s3.put_object(Bucket=bucket, Key=f"data/{at}", Body=os.urandom(size))
        estimator = Estimator(
            image_uri=image,
            role=role,
            instance_count=1,
            instance_type="ml.m5.large",
            input_mode="Pipe",
            output_path=f"s3://{bucket}/out",
            sagemaker_session=session,
        )
        estimator.fit({"training": f"s3://{bucket}/data/"}, logs=False)
        model = json.loads(files_of(s3, estimator.model_data)["model.json"])
        assert model == {"bytes_read": 5 * sum(sizes)}, model
        name = estimator.latest_training_job.name
        events = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")["events"]
        completed = [event["message"] for event in events if event["message"].startswith("Completed epoch")]
        assert len(completed) == 5, events
    finally:
        subprocess.run(["docker", "rmi", "-f", image], check=False, capture_output=True)


run()
