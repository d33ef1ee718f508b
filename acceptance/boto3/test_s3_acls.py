"""Access control lists, as boto3 sets them and as strangers feel them."""
import urllib.error
import urllib.request

from clients import expect_error, s3
from harness import run, test

url = s3.meta.endpoint_url
listed = "acceptance-lists"
everyone = "http://acs.amazonaws.com/groups/global/AllUsers"
create = {"CreateBucketConfiguration": {"LocationConstraint": s3.meta.region_name}}


def stranger(key, method="GET", body=None):
    """Without a signature: (status, body)."""
    request = urllib.request.Request(f"{url}/{listed}/{key}", data=body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def put(Key, **wishes):
    s3.put_object(Bucket=listed, Key=Key, Body=Key.encode(), **wishes)


def own(Ownership):
    s3.put_bucket_ownership_controls(Bucket=listed, OwnershipControls={"Rules": [{"ObjectOwnership": Ownership}]})


@test
def a_new_bucket_has_no_lists_and_nothing_in_it_becomes_public():
    s3.create_bucket(Bucket=listed, **create)
    expect_error("AccessControlListNotSupported", "", put, Key="open", ACL="public-read")
    own("ObjectWriter")
    assert s3.get_bucket_ownership_controls(Bucket=listed)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "ObjectWriter"}]
    expect_error("AccessDenied", "", put, Key="open", ACL="public-read")
    s3.delete_public_access_block(Bucket=listed)


@test
def a_public_object_is_read_without_a_signature_and_no_other():
    put("open", ACL="public-read")
    put("closed")
    assert stranger("open") == (200, b"open")
    assert [stranger("closed")[0], stranger("nothing")[0], stranger("?list-type=2")[0]] == [403, 403, 403]
    assert [stranger("open", "PUT", b"x")[0], stranger("open", "DELETE")[0]] == [403, 403]
    permissions = [grant["Permission"] for grant in s3.get_object_acl(Bucket=listed, Key="open")["Grants"]]
    assert permissions == ["FULL_CONTROL", "READ"], permissions
    s3.put_object_acl(Bucket=listed, Key="open", ACL="private")
    s3.put_object_acl(Bucket=listed, Key="closed", GrantRead=f"uri={everyone}")
    assert [stranger("open")[0], stranger("closed")] == [403, (200, b"closed")]


@test
def copies_and_uploads_in_parts_have_the_list_they_ask_for():
    source = {"Bucket": listed, "Key": "closed"}
    s3.copy_object(Bucket=listed, Key="copy", CopySource=source)
    s3.copy_object(Bucket=listed, Key="open-copy", CopySource=source, ACL="public-read")
    upload = {"Bucket": listed, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, ACL="public-read")["UploadId"]
    part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]}
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    assert [stranger("copy")[0], stranger("open-copy")[0], stranger("parts")] == [403, 200, (200, b"part")]


@test
def a_bucket_is_as_open_as_its_list():
    s3.put_bucket_acl(Bucket=listed, ACL="public-read")
    assert [stranger("?list-type=2")[0], stranger("nothing")[0], stranger("dropped", "PUT", b"x")[0]] == [200, 404, 403]
    policy = s3.get_bucket_acl(Bucket=listed)
    owner = policy["Owner"]
    policy["Grants"].append({"Grantee": {"Type": "Group", "URI": everyone}, "Permission": "WRITE"})
    s3.put_bucket_acl(Bucket=listed, AccessControlPolicy={"Owner": owner, "Grants": policy["Grants"]})
    assert stranger("dropped", "PUT", b"x")[0] == 200
    # It is the stranger's: not even the owner of the bucket reads it.
    expect_error("AccessDenied", "", s3.get_object, Bucket=listed, Key="dropped")
    assert s3.list_objects_v2(Bucket=listed, Prefix="dropped", FetchOwner=True)["Contents"][0]["Owner"]["ID"] != owner["ID"]
    s3.put_public_access_block(Bucket=listed, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert [stranger("?list-type=2")[0], stranger("closed")[0]] == [403, 403]
    s3.delete_public_access_block(Bucket=listed)
    expect_error("UnresolvableGrantByEmailAddress", "", s3.put_bucket_acl, Bucket=listed, GrantRead="emailAddress=ann@example.com")


@test
def lists_are_disabled_once_none_grants_anything_to_others():
    expect_error("InvalidBucketAclWithObjectOwnership", "", own, Ownership="BucketOwnerEnforced")
    s3.put_bucket_acl(Bucket=listed, ACL="private")
    own("BucketOwnerEnforced")
    assert [stranger("closed")[0], s3.get_object(Bucket=listed, Key="dropped")["Body"].read()] == [403, b"x"]
    s3.delete_bucket_ownership_controls(Bucket=listed)
    expect_error("OwnershipControlsNotFoundError", "", s3.get_bucket_ownership_controls, Bucket=listed)
    assert stranger("closed")[0] == 200


run()
