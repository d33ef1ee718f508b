"""Multi-model endpoints: the SageMaker SDK 2's MultiDataModel with scikit-learn, and what boto3 is told about models that are not there."""
import io
import json
import os
import pathlib
import tarfile
import tempfile

import boto3
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.sklearn import SKLearnModel

from harness import run, test
from sdk2_waits import deployed

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-multi-model"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
here = pathlib.Path(__file__).parent
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
runtime, api = boto3.client("sagemaker-runtime"), boto3.client("sagemaker")
state = {}


def archive(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def line(slope, start):
    return archive({"line.json": json.dumps({"slope": slope, "start": start})})


def refused(code, words, **request):
    try:
        runtime.invoke_endpoint(ContentType="application/json", Body="[[1.0]]", **request)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert words in error.response["Error"]["Message"], error
        return
    raise AssertionError("it was answered")


def answer(target, value):
    given = runtime.invoke_endpoint(
        EndpointName=state["endpoint"], TargetModel=target, ContentType="application/json", Body=json.dumps([[value]])
    )
    return round(json.loads(given["Body"].read())[0], 6)


@test
def several_models_are_served_by_one_endpoint():
    for name, packed in (("double.tar.gz", line(2, 0)), ("by-region/north.tar.gz", line(3, 1))):
        s3.put_object(Bucket=bucket, Key=f"models/{name}", Body=packed)
    script = SKLearnModel(
        model_data=f"s3://{bucket}/models/double.tar.gz",
        role=role,
        entry_point="inference.py",
        source_dir=str(here / "lines"),
        framework_version="1.2-1",
        code_location=f"s3://{bucket}/code",
        sagemaker_session=session,
    )
    models = MultiDataModel(
        name="acceptance-lines", model_data_prefix=f"s3://{bucket}/models/", model=script, sagemaker_session=session
    )
    predictor = deployed(models)
    state.update(models=models, predictor=predictor, endpoint=predictor.endpoint_name)
    assert sorted(models.list_models()) == ["by-region/north.tar.gz", "double.tar.gz"], list(models.list_models())
    assert predictor.predict([[4.0]], target_model="double.tar.gz").round(6).tolist() == [8.0]
    assert predictor.predict([[4.0]], target_model="by-region/north.tar.gz").round(6).tolist() == [13.0]


@test
def the_model_is_described_as_it_was_made():
    described = api.describe_model(ModelName="acceptance-lines")
    container = described["PrimaryContainer"]
    assert (container["Mode"], container["ModelDataUrl"]) == ("MultiModel", f"s3://{bucket}/models/"), container


@test
def a_model_is_added_to_a_running_endpoint():
    packed = pathlib.Path(tempfile.mkdtemp()) / "late.tar.gz"
    packed.write_bytes(line(-1, 10))
    state["models"].add_model(model_data_source=str(packed), model_data_path="late.tar.gz")
    assert "late.tar.gz" in list(state["models"].list_models())
    assert state["predictor"].predict([[4.0]], target_model="late.tar.gz").round(6).tolist() == [6.0]


@test
def a_model_may_have_code_of_its_own():
    code = "def model_fn(model_dir):\n    return 0\n\n\ndef predict_fn(data, model):\n    return data + 100\n"
    s3.put_object(Bucket=bucket, Key="models/own.tar.gz", Body=archive({"code/inference.py": code}))
    given = runtime.invoke_endpoint(
        EndpointName=state["endpoint"], TargetModel="own.tar.gz", ContentType="application/json", Body="[[1.0]]"
    )
    assert json.loads(given["Body"].read()) == [[101.0]]
    assert answer("double.tar.gz", 1.0) == 2.0


@test
def a_model_that_was_replaced_is_served_as_it_was_loaded():
    s3.put_object(Bucket=bucket, Key="models/double.tar.gz", Body=line(20, 0))
    assert answer("double.tar.gz", 1.0) == 2.0
    s3.delete_object(Bucket=bucket, Key="models/double.tar.gz")
    assert answer("double.tar.gz", 1.0) == 2.0


@test
def what_is_no_model_is_refused():
    where = {"EndpointName": state["endpoint"]}
    text = f"Failed to download model data(bucket: {bucket}, key: models/none.tar.gz). Please ensure"
    refused("ValidationError", text, TargetModel="none.tar.gz", **where)
    refused("ValidationError", "is missing a target model header", **where)
    refused("ValidationError", "is not the path of a model", TargetModel="../secret.tar.gz", **where)
    s3.put_object(Bucket=bucket, Key="models/broken.tar.gz", Body=b"no archive")
    refused("ValidationError", "not a tar.gz archive", TargetModel="broken.tar.gz", **where)
    hostile = io.BytesIO()
    with tarfile.open(fileobj=hostile, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"), io.BytesIO())
    s3.put_object(Bucket=bucket, Key="models/hostile.tar.gz", Body=hostile.getvalue())
    refused("ValidationError", "cannot be unpacked", TargetModel="hostile.tar.gz", **where)
    s3.put_object(Bucket=bucket, Key="models/empty.tar.gz", Body=archive({"other.txt": "x"}))
    refused("ModelError", "line.json", TargetModel="empty.tar.gz", **where)
    assert answer("by-region/north.tar.gz", 1.0) == 4.0


@test
def a_container_for_several_models_needs_a_prefix_and_an_image_for_it():
    image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    kmeans = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"
    for container, words in (
        ({"Image": image, "ModelDataUrl": f"s3://{bucket}/models"}, "prefix"),
        ({"Image": image}, "prefix"),
        ({"Image": kmeans, "ModelDataUrl": f"s3://{bucket}/models/"}, "multi-models=true Docker label"),
    ):
        try:
            api.create_model(
                ModelName="never", ExecutionRoleArn=role, PrimaryContainer={"Mode": "MultiModel", **container}
            )
        except ClientError as error:
            assert words in error.response["Error"]["Message"], error
        else:
            raise AssertionError(container)


@test
def the_endpoint_is_deleted():
    state["predictor"].delete_endpoint()
    api.delete_model(ModelName="acceptance-lines")
    refused("ValidationError", "not found", EndpointName=state["endpoint"], TargetModel="late.tar.gz")


run()
