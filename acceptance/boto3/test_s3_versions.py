"""S3's versions, conditional writes and the configuration of buckets, as boto3 and Terraform use them."""
import http.client
import json
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from clients import bucket, expect_error, make_bucket, s3
from harness import run, test


def body_of(key, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


@test
def versions_are_kept_listed_hidden_and_removed():
    make_bucket()
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"first")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"second")["VersionId"]
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [each["VersionId"] for each in listed] == [second, first, "null"], listed
    assert [each["IsLatest"] for each in listed] == [True, False, False]
    assert body_of("k", VersionId=first) == b"first" and body_of("k", VersionId="null") == b"null"
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == second

    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    expect_error("NoSuchKey", "", s3.get_object, Bucket=bucket, Key="k")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    expect_error("BucketNotEmpty", "", s3.delete_bucket, Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert body_of("k") == b"second"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k", "VersionId": first})
    assert body_of("copy") == b"first"
    expect_error("NoSuchVersion", "", s3.get_object, Bucket=bucket, Key="k", VersionId="x" * 32)


@test
def tags_belong_to_one_version():
    versions = [s3.put_object(Bucket=bucket, Key="tagged", Body=b"x")["VersionId"] for _ in range(2)]
    s3.put_object_tagging(Bucket=bucket, Key="tagged", VersionId=versions[0], Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="tagged", VersionId=versions[0])["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert s3.get_object_tagging(Bucket=bucket, Key="tagged")["TagSet"] == []


@test
def a_suspended_bucket_overwrites_its_null_version_alone():
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    before = len(s3.list_object_versions(Bucket=bucket, Prefix="k")["Versions"])
    for body in (b"one", b"two"):
        assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=body)
    versions = s3.list_object_versions(Bucket=bucket, Prefix="k")["Versions"]
    assert len(versions) == before and versions[0]["VersionId"] == "null", versions
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@test
def writes_on_condition_happen_only_where_it_holds():
    tag = s3.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
    expect_error("PreconditionFailed", "", s3.put_object, Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfMatch=tag)
    expect_error("PreconditionFailed", "", s3.put_object, Bucket=bucket, Key="once", Body=b"3", IfMatch=tag)
    expect_error("PreconditionFailed", "", s3.delete_object, Bucket=bucket, Key="once", IfMatch=tag)
    assert body_of("once") == b"2"


@test
def everything_is_removed_by_version_and_the_bucket_goes():
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
    for page in pages:
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        done = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]}
        )
        assert "Errors" not in done, done
    s3.delete_bucket(Bucket=bucket)


@test
def what_is_not_configured_is_answered_as_terraform_expects_it():
    make_bucket()
    for code, get in {
        "NoSuchBucketPolicy": s3.get_bucket_policy,
        "NoSuchCORSConfiguration": s3.get_bucket_cors,
        "NoSuchLifecycleConfiguration": s3.get_bucket_lifecycle_configuration,
        "NoSuchWebsiteConfiguration": s3.get_bucket_website,
        "NoSuchTagSet": s3.get_bucket_tagging,
        "ReplicationConfigurationNotFoundError": s3.get_bucket_replication,
        "ServerSideEncryptionConfigurationNotFoundError": s3.get_bucket_encryption,
        "ObjectLockConfigurationNotFoundError": s3.get_object_lock_configuration,
    }.items():
        expect_error(code, "", get, Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"], grants
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@test
def configuration_is_kept_given_back_and_deleted():
    tags = [{"Key": "team", "Value": "vision"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket=bucket)
    expect_error("NoSuchTagSet", "", s3.get_bucket_tagging, Bucket=bucket)

    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block

    rule = {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "tmp/", "Tags": [{"Key": "a", "Value": "b"}]}},
        "Expiration": {"Days": 3},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 2},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    expect_error("NoSuchLifecycleConfiguration", "", s3.get_bucket_lifecycle_configuration, Bucket=bucket)

    cors = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"], "MaxAgeSeconds": 60}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": cors})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == cors
    s3.delete_bucket_cors(Bucket=bucket)

    metrics = {"Id": "all", "Filter": {"Prefix": "a/"}}
    s3.put_bucket_metrics_configuration(Bucket=bucket, Id="all", MetricsConfiguration=metrics)
    assert s3.list_bucket_metrics_configurations(Bucket=bucket)["MetricsConfigurationList"] == [metrics]
    s3.delete_bucket_metrics_configuration(Bucket=bucket, Id="all")
    expect_error("NoSuchConfiguration", "", s3.get_bucket_metrics_configuration, Bucket=bucket, Id="all")


@test
def a_policy_is_kept_and_a_public_one_is_refused_where_that_is_blocked():
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "111111111111"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(text)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    public = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Principal": "*"}]})
    expect_error("AccessDenied", "", s3.put_bucket_policy, Bucket=bucket, Policy=public)
    s3.delete_public_access_block(Bucket=bucket)
    expect_error("NoSuchPublicAccessBlockConfiguration", "", s3.get_public_access_block, Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=public)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    s3.delete_bucket_policy(Bucket=bucket)
    expect_error("NoSuchBucketPolicy", "", s3.get_bucket_policy, Bucket=bucket)
    expect_error("MalformedPolicy", "", s3.put_bucket_policy, Bucket=bucket, Policy="{}")


@test
def nothing_is_promised_that_is_not_kept():
    expect_error("AccessControlListNotSupported", "", s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
    s3.put_object(Bucket=bucket, Key="mine", Body=b"x", ACL="bucket-owner-full-control")
    expect_error("AccessControlListNotSupported", "", s3.put_object, Bucket=bucket, Key="mine", Body=b"y", ACL="public-read")
    s3.put_object_acl(Bucket=bucket, Key="mine", ACL="private")
    assert s3.get_object_acl(Bucket=bucket, Key="mine")["Grants"][0]["Permission"] == "FULL_CONTROL"
    expect_error("NotImplemented", "", s3.put_object, Bucket=bucket, Key="k", Body=b"x", SSEKMSKeyId="a-key", ServerSideEncryption="aws:kms")
    assert "ServerSideEncryption" not in s3.head_object(Bucket=bucket, Key="mine")
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    expect_error("NotImplemented", "", s3.put_bucket_encryption, Bucket=bucket, ServerSideEncryptionConfiguration=encryption)


@test
def an_answer_bears_the_headers_that_are_asked_for():
    s3.put_object(Bucket=bucket, Key="page", Body=b"x", ContentType="text/plain")
    answer = s3.get_object(Bucket=bucket, Key="page", ResponseContentType="text/html", ResponseCacheControl="no-cache")
    assert answer["ContentType"] == "text/html" and answer["CacheControl"] == "no-cache"


@test
def buckets_may_stand_in_the_host_name():
    here = urlsplit(s3.meta.endpoint_url)
    virtual = Config(s3={"addressing_style": "virtual"}, signature_version="s3v4")
    hosted = boto3.client("s3", endpoint_url=f"http://localhost:{here.port}", config=virtual)
    for method, body in (("put_object", b"hosted"), ("get_object", None)):
        address = urlsplit(hosted.generate_presigned_url(method, {"Bucket": bucket, "Key": "by/host"}))
        assert address.hostname == f"{bucket}.localhost" and address.path == "/by/host", address
        # Not every machine resolves names below localhost.
        connection = http.client.HTTPConnection(here.hostname, here.port)
        connection.request(method[:3].upper(), f"{address.path}?{address.query}", body, {"Host": address.netloc})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
    assert answer.read() == b"hosted"
    assert body_of("by/host") == b"hosted"


run()
