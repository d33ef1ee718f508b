"""Who may do what: roles, passed roles, buckets that are open to everyone, and jobs that act as their role."""
import json

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from clients import account, blobs, bucket, channel, config, ended, expect_error, make_bucket, put, s3
from clients import sagemaker, start, training_request
from harness import run, test
from records import dense_tensor

iam = boto3.client("iam", config=config)
sts = boto3.client("sts", config=config)
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def grant(name, *statements):
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))


def make_role(name, *statements):
    principal = {"Service": "sagemaker.amazonaws.com", "AWS": account}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({**TRUST, "Principal": principal}))
    if statements:
        grant(name, *statements)
    return f"arn:aws:iam::{account}:role/{name}"


def clients_of(role, *names):
    made = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="test")["Credentials"]
    session = boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    clients = [session.client(name, config=config) for name in names]
    return clients if len(clients) > 1 else clients[0]


@test
def a_role_may_what_its_policies_say_at_once():
    make_bucket()
    put("in/a", b"1")
    put("out/b", b"2")
    make_role("reader")
    reader = clients_of("reader", "s3")
    refusal = "because no identity-based policy allows the s3:GetObject action"
    expect_error("AccessDenied", refusal, reader.get_object, Bucket=bucket, Key="in/a")
    grant("reader", allow("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*"))
    assert reader.get_object(Bucket=bucket, Key="in/a")["Body"].read() == b"1"
    expect_error("AccessDenied", "", reader.get_object, Bucket=bucket, Key="out/b")
    expect_error("AccessDenied", "s3:ListBucket", reader.list_objects_v2, Bucket=bucket, Prefix="in/")
    condition = {"StringLike": {"s3:prefix": "in/*"}}
    grant("reader", allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=condition))
    assert reader.list_objects_v2(Bucket=bucket, Prefix="in/")["KeyCount"] == 1
    expect_error("AccessDenied", "s3:ListBucket", reader.list_objects_v2, Bucket=bucket)
    grant("reader", allow("s3:*"), {**allow("s3:Delete*"), "Effect": "Deny"})
    expect_error(
        "AccessDenied", "with an explicit deny in an identity-based policy",
        reader.delete_object, Bucket=bucket, Key="in/a",
    )


@test
def roles_are_passed_only_by_those_who_may():
    worker = make_role("worker")
    make_role("maker", allow("sagemaker:*"))
    maker = clients_of("maker", "sagemaker")
    uri = put("train/data", dense_tensor(blobs(400)[0]))
    request = {**training_request("passed", channel(uri)), "RoleArn": worker}
    expect_error("AccessDeniedException", f"iam:PassRole on resource: {worker}", maker.create_training_job, **request)
    to_sagemaker = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    grant("maker", allow("sagemaker:*"), allow("iam:PassRole", worker, Condition=to_sagemaker))
    maker.create_training_job(**request)
    job = ended("passed", "Failed")
    assert "Artifact upload failed" in job["FailureReason"], job["FailureReason"]


@test
def a_job_acts_as_its_role_and_no_more():
    uri = put("train/data", dense_tensor(blobs(400)[0]))
    listing = allow("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    writing = allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*")
    role = make_role("trainer", writing)
    start("unlisted", channel(uri), RoleArn=role)
    reason = ended("unlisted", "Failed")["FailureReason"]
    assert f'Unauthorized to List objects under S3 URL "{uri}"' in reason, reason
    grant("trainer", writing, listing)
    start("unread", channel(uri), RoleArn=role)
    reason = ended("unread", "Failed")["FailureReason"]
    assert '"s3:GetObject" permissions' in reason, reason
    grant("trainer", writing, listing, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/train/*"))
    start("allowed", channel(uri), RoleArn=role)
    assert ended("allowed")["ModelArtifacts"]["S3ModelArtifacts"].startswith(f"s3://{bucket}/")


@test
def a_role_that_does_not_trust_sagemaker_is_refused():
    trust = document({**TRUST, "Principal": {"AWS": account}})
    iam.create_role(RoleName="mistrustful", AssumeRolePolicyDocument=trust)
    request = training_request("mistrusted", channel(f"s3://{bucket}/train"))
    request["RoleArn"] = f"arn:aws:iam::{account}:role/mistrustful"
    expect_error("ValidationException", "Could not assume role", sagemaker.create_training_job, **request)


@test
def a_bucket_policy_opens_objects_to_everyone():
    anyone = boto3.client("s3", config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))
    expect_error("AccessDenied", "Access Denied", anyone.get_object, Bucket=bucket, Key="in/a")
    statement = {**allow("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*"), "Principal": "*"}
    expect_error("AccessDenied", "", s3.put_bucket_policy, Bucket=bucket, Policy=document(statement))
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=document(statement))
    assert anyone.get_object(Bucket=bucket, Key="in/a")["Body"].read() == b"1"
    expect_error("AccessDenied", "Access Denied", anyone.get_object, Bucket=bucket, Key="out/b")
    expect_error("AccessDenied", "Access Denied", anyone.put_object, Bucket=bucket, Key="in/a", Body=b"x")
    s3.delete_bucket_policy(Bucket=bucket)
    expect_error("AccessDenied", "Access Denied", anyone.get_object, Bucket=bucket, Key="in/a")


run()
