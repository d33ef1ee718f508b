"""A multi-model container of one's own: several models in memory for one, and an image that does not say that it takes several."""
import io
import os
import pathlib
import tarfile

import boto3
from botocore.exceptions import ClientError, WaiterError

from docker_base import docker_output
from harness import Skipped, run, test

region = os.environ["AWS_DEFAULT_REGION"]
client, s3, runtime = boto3.client("sagemaker"), boto3.client("s3"), boto3.client("sagemaker-runtime")
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-docker-multi-model"
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
label = "com.amazonaws.sagemaker.capabilities.multi-models=true"
image, plain = f"salvia-acceptance/several:{os.getpid()}", f"salvia-acceptance/plain:{os.getpid()}"


def archive(factor):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("factor")
        member.size = len(str(factor))
        tar.addfile(member, io.BytesIO(str(factor).encode()))
    return packed.getvalue()


def endpoint(name, uri):
    container = {"Image": uri, "Mode": "MultiModel", "ModelDataUrl": f"s3://{bucket}/models/"}
    client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = client.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


@test
def images_are_built():
    try:
        docker_output("image", "inspect", "salvia-test/python:3")
    except RuntimeError:
        raise Skipped("the base image salvia-test/python:3 is missing: tools/docker/base-image makes it") from None
    folder = str(pathlib.Path(__file__).parent / "multi-model")
    docker_output("build", "-q", "-t", plain, folder)
    docker_output("build", "-q", "--label", label, "-t", image, folder)


@test
def a_container_with_memory_for_one_model_serves_two():
    for name, factor in (("double", 2), ("triple", 3)):
        s3.put_object(Bucket=bucket, Key=f"models/{name}.tar.gz", Body=archive(factor))
    endpoint("several", image)
    for name, expected in (("double", "8.0"), ("triple", "12.0"), ("double", "8.0")):
        target = f"{name}.tar.gz"
        answer = runtime.invoke_endpoint(EndpointName="several", TargetModel=target, ContentType="text/csv", Body="4")
        assert answer["Body"].read().decode() == f"{target}: {expected} true"
    try:
        runtime.invoke_endpoint(EndpointName="several", TargetModel="none", ContentType="text/csv", Body="4")
    except ClientError as error:
        assert "Failed to download model data" in error.response["Error"]["Message"], error
    else:
        raise AssertionError("there is no such model")
    client.delete_endpoint(EndpointName="several")


@test
def an_image_without_the_label_takes_one_model():
    try:
        endpoint("plain", plain)
    except WaiterError:
        pass
    reason = client.describe_endpoint(EndpointName="plain").get("FailureReason", "")
    assert f"does not contain required {label} Docker label" in reason, reason
    client.delete_endpoint(EndpointName="plain")
    docker_output("image", "rm", "-f", image, plain)


run()
