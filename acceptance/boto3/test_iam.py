"""IAM and STS through boto3: users, keys, groups, roles, policies with versions, sessions with borders."""
import json

import boto3

from clients import account, config, expect_error
from harness import run, test

iam = boto3.client("iam", config=config)
sts = boto3.client("sts", config=config)
READ = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def document(effect, actions, resource="*", **rest):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": actions, "Resource": resource, **rest}]})


def trust(principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def client(service, keys):
    return boto3.client(
        service,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=config,
    )


keys = {}


@test
def a_user_has_keys_tags_and_groups():
    made = iam.create_user(UserName="tester", Path="/acceptance/", Tags=[{"Key": "team", "Value": "a"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{account}:user/acceptance/tester", made
    expect_error("EntityAlreadyExists", "already exists", iam.create_user, UserName="tester")
    keys.update(iam.create_access_key(UserName="tester")["AccessKey"])
    who = client("sts", keys).get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (made["Arn"], made["UserId"]), who
    iam.create_group(GroupName="testers")
    iam.attach_group_policy(GroupName="testers", PolicyArn=READ)
    expect_error("AccessDenied", "iam:ListUsers", client("iam", keys).list_users)
    iam.add_user_to_group(GroupName="testers", UserName="tester")
    names = [user["UserName"] for user in client("iam", keys).list_users(PathPrefix="/acceptance/")["Users"]]
    assert names == ["tester"], names
    assert [user["UserName"] for user in iam.get_group(GroupName="testers")["Users"]] == ["tester"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="tester")["Groups"]] == ["testers"]
    iam.tag_user(UserName="tester", Tags=[{"Key": "stage", "Value": "b"}])
    iam.untag_user(UserName="tester", TagKeys=["team"])
    assert iam.list_user_tags(UserName="tester")["Tags"] == [{"Key": "stage", "Value": "b"}]
    assert [key["Status"] for key in iam.list_access_keys(UserName="tester")["AccessKeyMetadata"]] == ["Active"]


@test
def a_managed_policy_changes_with_its_default_version():
    arn = iam.create_policy(PolicyName="tests", PolicyDocument=document("Allow", "s3:ListAllMyBuckets"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="tester", PolicyArn=arn)
    as_tester = client("iam", keys)
    expect_error("AccessDenied", "iam:CreateGroup", as_tester.create_group, GroupName="theirs")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("Allow", "iam:*Group"), SetAsDefault=True)
    as_tester.create_group(GroupName="theirs")
    as_tester.delete_group(GroupName="theirs")
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert version["Document"]["Statement"][0]["Action"] == "iam:*Group", version
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    expect_error("AccessDenied", "iam:CreateGroup", as_tester.create_group, GroupName="theirs")
    assert [each["VersionId"] for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v2", "v1"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    users = iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]
    assert [user["UserName"] for user in users] == ["tester"]
    attached = iam.list_attached_user_policies(UserName="tester")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [arn]
    expect_error("DeleteConflict", "attached", iam.delete_policy, PolicyArn=arn)
    iam.detach_user_policy(UserName="tester", PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    expect_error("NoSuchEntity", "was not found", iam.get_policy, PolicyArn=arn)


@test
def an_inline_policy_and_a_boundary_decide():
    iam.put_user_policy(UserName="tester", PolicyName="inline", PolicyDocument=document("Deny", "iam:ListUsers"))
    as_tester = client("iam", keys)
    expect_error("AccessDenied", "explicit deny", as_tester.list_users)
    simulated = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{account}:user/acceptance/tester", ActionNames=["iam:ListUsers", "iam:ListRoles", "s3:GetObject"]
    )
    decisions = [result["EvalDecision"] for result in simulated["EvaluationResults"]]
    assert decisions == ["explicitDeny", "allowed", "implicitDeny"], decisions
    assert iam.get_user_policy(UserName="tester", PolicyName="inline")["PolicyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert iam.list_user_policies(UserName="tester")["PolicyNames"] == ["inline"]
    iam.delete_user_policy(UserName="tester", PolicyName="inline")
    as_tester.list_users()
    iam.put_user_permissions_boundary(UserName="tester", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    expect_error("AccessDenied", "permissions boundary", as_tester.list_users)
    iam.delete_user_permissions_boundary(UserName="tester")
    as_tester.list_users()


@test
def a_role_is_assumed_within_a_session_policy():
    arn = iam.create_role(RoleName="assumed", AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{account}:root"}))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="assumed", PolicyArn=READ)
    iam.put_role_policy(RoleName="assumed", PolicyName="more", PolicyDocument=document("Allow", "iam:CreateGroup"))
    expect_error("AccessDenied", "sts:AssumeRole", client("sts", keys).assume_role, RoleArn=arn, RoleSessionName="no")
    iam.put_user_policy(UserName="tester", PolicyName="assume", PolicyDocument=document("Allow", "sts:*", [arn, "*"]))
    assume = client("sts", keys).assume_role
    session = assume(RoleArn=arn, RoleSessionName="yes")
    client("iam", session["Credentials"]).list_roles()
    bordered = assume(RoleArn=arn, RoleSessionName="yes", Policy=document("Allow", "iam:ListGroups"))["Credentials"]
    client("iam", bordered).list_groups()
    expect_error("AccessDenied", "session policy", client("iam", bordered).list_roles)
    own = client("sts", keys).get_session_token()["Credentials"]
    assert client("sts", own).get_caller_identity()["Arn"].endswith(":user/acceptance/tester")
    guest = client("sts", keys).get_federation_token(Name="guest", Policy=document("Allow", "iam:ListGroups"))
    client("iam", guest["Credentials"]).list_groups()
    expect_error("AccessDenied", "session policy", client("iam", guest["Credentials"]).list_users)
    iam.update_assume_role_policy(RoleName="assumed", PolicyDocument=trust({"Service": "sagemaker.amazonaws.com"}))
    expect_error("AccessDenied", "sts:AssumeRole", assume, RoleArn=arn, RoleSessionName="late")
    expect_error("DeleteConflict", "detach all policies", iam.delete_role, RoleName="assumed")
    iam.detach_role_policy(RoleName="assumed", PolicyArn=READ)
    expect_error("DeleteConflict", "delete policies", iam.delete_role, RoleName="assumed")
    iam.delete_role_policy(RoleName="assumed", PolicyName="more")
    iam.delete_role(RoleName="assumed")
    expect_error("InvalidClientTokenId", "", client("iam", session["Credentials"]).list_roles)


@test
def a_user_leaves_nothing_behind():
    expect_error("DeleteConflict", "access keys", iam.delete_user, UserName="tester")
    iam.update_access_key(UserName="tester", AccessKeyId=keys["AccessKeyId"], Status="Inactive")
    expect_error("InvalidClientTokenId", "", client("sts", keys).get_caller_identity)
    iam.delete_access_key(UserName="tester", AccessKeyId=keys["AccessKeyId"])
    iam.delete_user_policy(UserName="tester", PolicyName="assume")
    expect_error("DeleteConflict", "remove users from group", iam.delete_user, UserName="tester")
    iam.remove_user_from_group(GroupName="testers", UserName="tester")
    iam.delete_user(UserName="tester")
    expect_error("NoSuchEntity", "cannot be found", iam.get_user, UserName="tester")
    iam.detach_group_policy(GroupName="testers", PolicyArn=READ)
    iam.delete_group(GroupName="testers")


run()
