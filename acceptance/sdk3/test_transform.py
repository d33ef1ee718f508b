"""The SageMaker Python SDK 3's Transformer, unpatched, with a script of one's own as the model: CSV filtered, joined, in order."""
import io
import os
import tarfile

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TransformJob
from sagemaker.core.transformer import Transformer
from sagemaker.core.utils.exceptions import FailedStatusError

from harness import run, test

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-sdk3-transform"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = Session(default_bucket=bucket)

SCRIPT = """
def model_fn(folder):
    return int(open(folder + "/factor").read())

def predict_fn(rows, factor):
    if (rows < 0).any():
        raise ValueError("a value below zero")
    return rows.sum(axis=1) * factor
"""


def archive(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def transformer(**changes):
    return Transformer(
        model_name="sums",
        instance_count=1,
        instance_type="ml.m5.large",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{bucket}/out",
        base_transform_job_name="sums",
        sagemaker_session=session,
        **changes,
    )


@test
def a_model_of_a_script_is_made():
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"factor": "10", "code/inference.py": SCRIPT}))
    container = {"Image": image, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    boto3.client("sagemaker").create_model(ModelName="sums", ExecutionRoleArn=role, PrimaryContainer=container)


@test
def a_transformer_waits_and_joins_input_and_answer():
    rows = [f"id-{at},{at},{at + 1}" for at in range(300)]
    s3.put_object(Bucket=bucket, Key="rows/rows.csv", Body="\n".join(rows))
    made = transformer(strategy="MultiRecord", max_concurrent_transforms=2, max_payload=1)
    made.transform(
        f"s3://{bucket}/rows/",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:]",
        join_source="Input",
        output_filter="$[0,-1]",
        wait=False,
    )
    made.latest_transform_job.wait(poll=1, timeout=120)
    job = TransformJob.get(made.latest_transform_job.transform_job_name)
    assert job.transform_job_status == "Completed" and job.data_processing.join_source == "Input", job
    answers = s3.get_object(Bucket=bucket, Key="out/rows.csv.out")["Body"].read().decode().splitlines()
    expected = [[f"id-{at}", (2 * at + 1) * 10] for at in range(300)]
    assert [[fields[0], float(fields[1])] for fields in (line.split(",") for line in answers)] == expected, answers[:3]


@test
def a_row_that_the_script_refuses_fails_the_job_with_its_key():
    s3.put_object(Bucket=bucket, Key="bad/good.csv", Body="1,2\n")
    s3.put_object(Bucket=bucket, Key="bad/wrong.csv", Body="1,2\n-1,2\n")
    made = transformer(strategy="SingleRecord")
    made.transform(f"s3://{bucket}/bad/", content_type="text/csv", split_type="Line", wait=False)
    try:
        made.latest_transform_job.wait(poll=1, timeout=120)
    except FailedStatusError as error:
        assert "wrong.csv: the model answered 500" in str(error) and "a value below zero" in str(error), error
    else:
        raise AssertionError("a job that fails was waited for and nothing was raised")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]] == ["out/good.csv.out", "out/rows.csv.out"]


run()
