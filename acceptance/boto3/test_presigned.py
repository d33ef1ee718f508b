"""Presigned URLs and upload forms as boto3 makes them by itself (version 2) and when told (version 4), used without boto3."""
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.config import Config

from clients import bucket, make_bucket, s3
from harness import run, test

version4 = boto3.client("s3", config=Config(signature_version="s3v4"))
version2 = boto3.client("s3", config=Config(signature_version="s3"))
clients = {"default": s3, "s3": version2, "s3v4": version4}


def send(url, method="GET", body=None, **headers):
    """(status, body, headers), also of a refusal."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    # urllib would add a content type of its own to a body; an empty one is what no content type signs as.
    if body is not None and "Content-Type" not in sent:
        sent["Content-Type"] = ""
    request = urllib.request.Request(url, data=body, method=method, headers=sent)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def refused(answer, status, code):
    assert answer[0] == status and f"<Code>{code}</Code>".encode() in answer[1], answer[:2]


@test
def urls_are_read_and_written_without_credentials():
    make_bucket()
    for name, client in clients.items():
        key = f"dir/{name} ü+%.txt"
        arguments = {"Bucket": bucket, "Key": key}
        put = client.generate_presigned_url("put_object", Params=arguments)
        assert send(put, "PUT", b"hello")[0] == 200, name
        get = client.generate_presigned_url("get_object", Params=arguments)
        for _ in range(2):
            assert send(get)[:2] == (200, b"hello"), (name, send(get))
        head = client.generate_presigned_url("head_object", Params=arguments)
        assert send(head, "HEAD")[0] == 200
        listed = send(client.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket, "Prefix": "dir/"}))
        assert listed[0] == 200, (name, listed[:2])
        assert send(client.generate_presigned_url("delete_object", Params=arguments), "DELETE")[0] == 204
        refused(send(get), 404, "NoSuchKey")


@test
def response_headers_and_parts_are_signed_with_the_url():
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    for name, client in clients.items():
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", "ResponseContentType": "text/x y"})
        status, body, headers = send(url)
        assert (status, body, headers["Content-Type"]) == (200, b"hello", "text/x y"), (name, status, body)
        upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
        part = {"Bucket": bucket, "Key": "parts", "UploadId": upload, "PartNumber": 1}
        status, _, headers = send(client.generate_presigned_url("upload_part", Params=part), "PUT", b"part")
        assert status == 200, name
        parts = {"Parts": [{"PartNumber": 1, "ETag": headers["ETag"]}]}
        s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
        assert s3.get_object(Bucket=bucket, Key="parts")["Body"].read() == b"part"


@test
def urls_that_were_changed_or_ran_out_are_refused():
    for name, client in clients.items():
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
        refused(send(url.replace("/k?", "/other?")), 403, "SignatureDoesNotMatch")
        refused(send(url + "&response-content-type=text%2Fhtml"), 403, "SignatureDoesNotMatch")
        refused(send(url + "&tagging"), 403, "SignatureDoesNotMatch")
        refused(send(url, "DELETE"), 403, "SignatureDoesNotMatch")
        refused(send(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=-5)), 403 if name != "s3v4" else 400,
                "AccessDenied" if name != "s3v4" else "AuthorizationQueryParametersError")
    stranger = boto3.client("s3", aws_access_key_id="AKIANOBODY0000000000", aws_secret_access_key="x" * 40, aws_session_token="")
    refused(send(stranger.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})), 403, "InvalidAccessKeyId")


@test
def a_client_that_signs_everything_with_version_2_works():
    version2.put_object(Bucket=bucket, Key="a b/ü", Body=b"two", Metadata={"hand": "left"}, ContentType="text/plain")
    answer = version2.get_object(Bucket=bucket, Key="a b/ü")
    assert answer["Body"].read() == b"two" and answer["Metadata"] == {"hand": "left"}
    version2.put_object_tagging(Bucket=bucket, Key="a b/ü", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert version2.get_object_tagging(Bucket=bucket, Key="a b/ü")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert any(each["Name"] == bucket for each in version2.list_buckets()["Buckets"])


def post(form, content, filename="left.png"):
    """multipart/form-data as a browser sends it."""
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in form["fields"].items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    head = [f"--{boundary}", f'Content-Disposition: form-data; name="file"; filename="{filename}"', "Content-Type: image/png", "", ""]
    body = "\r\n".join(lines + head).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return send(form["url"], "POST", body, Content_Type=f"multipart/form-data; boundary={boundary}")


@test
def forms_upload_within_their_policy():
    for name, client in clients.items():
        form = client.generate_presigned_post(bucket, f"forms/{name}/${{filename}}", Conditions=[["content-length-range", 1, 300_000]])
        content = name.encode() * 30_000
        assert post(form, content)[0] == 204, (name, post(form, content))
        assert s3.get_object(Bucket=bucket, Key=f"forms/{name}/left.png")["Body"].read() == content
        refused(post(form, b"x" * 300_001), 400, "EntityTooLarge")
        refused(post(form, b""), 400, "EntityTooSmall")
        changed = {**form, "fields": {**form["fields"], "key": "elsewhere"}}
        refused(post(changed, b"x"), 403, "AccessDenied")
        extra = {**form, "fields": {**form["fields"], "acl": "private"}}
        refused(post(extra, b"x"), 403, "AccessDenied")
        refused(post(client.generate_presigned_post(bucket, "late", ExpiresIn=-5), b"x"), 403, "AccessDenied")
    fields = {"success_action_status": "201", "x-amz-meta-hand": "left", "Content-Type": "image/png"}
    form = s3.generate_presigned_post(bucket, "fields", Fields=fields, Conditions=[{each: fields[each]} for each in fields])
    status, body, _ = post(form, b"x")
    assert status == 201 and b"<Key>fields</Key>" in body, (status, body)
    head = s3.head_object(Bucket=bucket, Key="fields")
    assert (head["ContentType"], head["Metadata"]) == ("image/png", {"hand": "left"})


run()
