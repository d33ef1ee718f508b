"""Terraform with the AWS provider against Salvia: apply, plan without difference, update, destroy; boto3 looks at what came of it."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import boto3
from botocore.exceptions import ClientError

from harness import digits, run, test
from records import dense_tensor

here = pathlib.Path(__file__).parent
folder = pathlib.Path(tempfile.mkdtemp(prefix="terraform-", dir=os.environ["HOME"]))
shutil.copy(here / "main.tf", folder)
training = folder / "train.pbr"

iam, s3, sagemaker = boto3.client("iam"), boto3.client("s3"), boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")
train_x, train_y, held_x, held_y = digits()
# Below 5 MB, so that it goes up in one part and its etag is its MD5.
training.write_bytes(dense_tensor(train_x[:1200]))
state = {"variables": {"stage": "first", "training_data": str(training)}}


def terraform(*arguments, expected=(0,)):
    """Runs terraform in its folder; the exit code must be one of those expected. Returns (exit code, output)."""
    variables = {f"TF_VAR_{name}": str(value) for name, value in state["variables"].items()}
    ended = subprocess.run(
        ["terraform", *arguments, "-no-color"],
        cwd=folder,
        env={**os.environ, **variables, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert ended.returncode in expected, f"{ended.returncode}: {ended.stdout[-6000:]}"
    return ended.returncode, ended.stdout


def apply():
    return terraform("apply", "-auto-approve", "-input=false")[1]


def assert_no_difference():
    code, said = terraform("plan", "-detailed-exitcode", "-input=false", expected=(0, 2))
    assert code == 0, said[-6000:]


def outputs():
    return {name: each["value"] for name, each in json.loads(terraform("output", "-json")[1]).items()}


def tags_of(arn):
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


@test
def roles_policies_a_bucket_and_objects_are_made():
    plugins = os.environ.get("SALVIA_TERRAFORM_PLUGINS")
    terraform("init", "-input=false", *([f"-plugin-dir={plugins}"] if plugins else []))
    said = apply()
    assert "8 added, 0 changed, 0 destroyed" in said, said[-3000:]
    state.update(outputs())
    role = iam.get_role(RoleName="digits-execution")["Role"]
    assert role["Arn"] == state["role"] and role["Arn"].endswith(":role/digits/digits-execution"), role
    assert role["MaxSessionDuration"] == 7200
    (attached,) = iam.list_attached_role_policies(RoleName="digits-execution")["AttachedPolicies"]
    assert attached["PolicyName"] == "digits-data", attached
    assert iam.list_role_policies(RoleName="digits-execution")["PolicyNames"] == ["logs"]
    body = s3.get_object(Bucket=state["bucket"], Key="data/train")["Body"].read()
    assert body == training.read_bytes()
    note = s3.get_object(Bucket=state["bucket"], Key="notes/who made this?.txt")
    assert note["Body"].read() == b"Terraform did, in stage first.\n"
    assert note["ContentType"] == "text/plain; charset=utf-8" and note["Metadata"] == {"stage": "first"}, note
    assert s3.get_bucket_versioning(Bucket=state["bucket"])["Status"] == "Enabled"


@test
def a_second_plan_finds_nothing_to_do():
    assert_no_difference()


@test
def a_job_trains_with_the_role_and_the_data():
    name = "terraform-digits"
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
            "TrainingInputMode": "File",
        },
        RoleArn=state["role"],
        HyperParameters={"k": "10", "feature_dim": "784"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{state['bucket']}/data/train"}
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{state['bucket']}/output"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    described = sagemaker.describe_training_job(TrainingJobName=name)
    assert described["TrainingJobStatus"] == "Completed", described
    state["variables"]["model_data"] = described["ModelArtifacts"]["S3ModelArtifacts"]


def closest(rows):
    body = "\n".join(",".join(f"{value:g}" for value in row) for row in rows)
    answer = runtime.invoke_endpoint(EndpointName=state["endpoint"], ContentType="text/csv", Body=body)
    return [prediction["closest_cluster"] for prediction in json.loads(answer["Body"].read())["predictions"]]


@test
def the_endpoint_comes_with_its_model_and_answers():
    said = apply()
    assert "3 added, 0 changed, 0 destroyed" in said, said[-3000:]
    state.update(outputs())
    described = sagemaker.describe_endpoint(EndpointName=state["endpoint"])
    assert described["EndpointStatus"] == "InService", described
    assert tags_of(described["EndpointArn"]) == {"stage": "first", "project": "digits"}
    assert len(closest(held_x[:20])) == 20
    state["configuration"] = described["EndpointConfigName"]
    assert_no_difference()


@test
def tags_policies_objects_and_the_endpoint_change_in_place():
    answers = closest(held_x[:20])
    state["variables"].update(stage="second", instances=2)
    said = apply()
    assert "1 added" in said and "1 destroyed" in said, said[-3000:]
    described = sagemaker.describe_endpoint(EndpointName=state["endpoint"])
    assert described["EndpointStatus"] == "InService", described
    assert described["EndpointConfigName"] != state["configuration"]
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2, described
    assert tags_of(described["EndpointArn"]) == {"stage": "second", "project": "digits"}
    assert closest(held_x[:20]) == answers
    model = sagemaker.describe_model(ModelName="terraform-digits")
    assert tags_of(model["ModelArn"])["stage"] == "second"
    note = s3.get_object(Bucket=state["bucket"], Key="notes/who made this?.txt")
    assert note["Body"].read() == b"Terraform did, in stage second.\n"
    bucket_tags = s3.get_bucket_tagging(Bucket=state["bucket"])["TagSet"]
    assert {"Key": "stage", "Value": "second"} in bucket_tags, bucket_tags
    role_tags = iam.list_role_tags(RoleName="digits-execution")["Tags"]
    assert {"Key": "stage", "Value": "second"} in role_tags, role_tags
    assert "second" in iam.get_role(RoleName="digits-execution")["Role"]["Description"]
    (attached,) = iam.list_attached_role_policies(RoleName="digits-execution")["AttachedPolicies"]
    state["policy"] = attached["PolicyArn"]
    policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"][0]["Action"] == ["s3:*"], version
    assert_no_difference()


@test
def what_somebody_else_changed_is_found_and_put_right():
    arn = sagemaker.describe_endpoint(EndpointName=state["endpoint"])["EndpointArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "strange"}])
    s3.put_object(Bucket=state["bucket"], Key="data/train", Body=b"something else")
    code, said = terraform("plan", "-detailed-exitcode", "-input=false", expected=(0, 2))
    assert code == 2 and "2 to change" in said, said[-3000:]
    apply()
    assert tags_of(arn)["stage"] == "second"
    assert s3.get_object(Bucket=state["bucket"], Key="data/train")["Body"].read() == training.read_bytes()


def assert_gone(call, *codes, **arguments):
    try:
        found = call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in codes, error.response
    else:
        raise AssertionError(f"still there: {found}")


@test
def everything_goes_with_its_versions():
    said = terraform("destroy", "-auto-approve", "-input=false")[1]
    assert "11 destroyed" in said, said[-3000:]
    # The provider takes an endpoint that is Deleting for gone.
    waiter = sagemaker.get_waiter("endpoint_deleted")
    waiter.wait(EndpointName=state["endpoint"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert_gone(sagemaker.describe_endpoint, "ValidationException", EndpointName=state["endpoint"])
    assert_gone(sagemaker.describe_model, "ValidationException", ModelName="terraform-digits")
    assert_gone(iam.get_role, "NoSuchEntity", RoleName="digits-execution")
    assert_gone(iam.get_policy, "NoSuchEntity", PolicyArn=state["policy"])
    assert_gone(s3.head_bucket, "404", Bucket=state["bucket"])
    assert sagemaker.list_endpoint_configs(NameContains="terraform-digits")["EndpointConfigs"] == []


run()
