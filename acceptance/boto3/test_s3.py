"""S3 as clients use it beside SageMaker: copies, ranges, conditions, listings, tags, uploads in parts, presigned addresses."""
import hashlib
import io
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from clients import REGION, bucket, expect_error, make_bucket, put, s3
from harness import run, test

ODD_KEYS = ["a b", "a+b", "a%20b", "a%b", "ü/ö", "数字", "🙂", "a&b=c", "a?b#c", "'q\"", "a//b", "~tilde", "<x>", "back\\slash", "new\nline"]
PART = 5 * 1024 * 1024


def body_of(key, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


@test
def buckets_are_made_found_and_deleted():
    make_bucket()
    s3.create_bucket(Bucket="acceptance-more", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.head_bucket(Bucket="acceptance-more")
    assert {"acceptance", "acceptance-more"} <= {each["Name"] for each in s3.list_buckets()["Buckets"]}
    assert s3.get_bucket_location(Bucket="acceptance-more")["LocationConstraint"] == REGION
    s3.put_object(Bucket="acceptance-more", Key="x", Body=b"x")
    expect_error("BucketNotEmpty", "", s3.delete_bucket, Bucket="acceptance-more")
    s3.delete_object(Bucket="acceptance-more", Key="x")
    s3.delete_bucket(Bucket="acceptance-more")
    expect_error("404", "", s3.head_bucket, Bucket="acceptance-more")
    expect_error("NoSuchBucket", "", s3.put_object, Bucket="acceptance-more", Key="x", Body=b"x")


@test
def keys_of_every_kind_keep_their_content_and_their_name():
    for key in ODD_KEYS:
        put(f"odd/{key}", key.encode())
    for key in ODD_KEYS:
        assert body_of(f"odd/{key}") == key.encode(), key
    listed = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="odd/")["Contents"]]
    assert listed == sorted((f"odd/{key}" for key in ODD_KEYS), key=lambda key: key.encode()), listed
    assert [each["Key"] for each in s3.list_objects(Bucket=bucket, Prefix="odd/")["Contents"]] == listed


@test
def objects_carry_their_headers_metadata_and_checksums():
    content = b"one,two\n1,2\n"
    done = s3.put_object(
        Bucket=bucket, Key="described", Body=content, ContentType="text/csv", Metadata={"made-by": "a test"}, ChecksumAlgorithm="SHA256"
    )
    assert done["ETag"] == '"' + hashlib.md5(content).hexdigest() + '"', done
    head = s3.head_object(Bucket=bucket, Key="described", ChecksumMode="ENABLED")
    assert head["ContentType"] == "text/csv" and head["Metadata"] == {"made-by": "a test"}, head
    assert head["ChecksumSHA256"] == done["ChecksumSHA256"]
    expect_error("BadDigest", "", s3.put_object, Bucket=bucket, Key="described", Body=content, ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    attributes = s3.get_object_attributes(Bucket=bucket, Key="described", ObjectAttributes=["ETag", "ObjectSize"])
    assert attributes["ObjectSize"] == len(content), attributes


@test
def a_copy_has_the_content_and_what_was_asked_of_the_rest():
    source = {"Bucket": bucket, "Key": "described"}
    s3.copy_object(Bucket=bucket, Key="copies/a+b ü", CopySource=source)
    head = s3.head_object(Bucket=bucket, Key="copies/a+b ü")
    assert head["Metadata"] == {"made-by": "a test"} and head["ContentType"] == "text/csv"
    assert body_of("copies/a+b ü") == body_of("described")
    s3.copy_object(Bucket=bucket, Key="copies/b", CopySource={"Bucket": bucket, "Key": "copies/a+b ü"}, MetadataDirective="REPLACE", Metadata={"k": "v"})
    assert s3.head_object(Bucket=bucket, Key="copies/b")["Metadata"] == {"k": "v"}
    expect_error("NoSuchKey", "", s3.copy_object, Bucket=bucket, Key="copies/c", CopySource={"Bucket": bucket, "Key": "none"})
    etag = s3.head_object(Bucket=bucket, Key="described")["ETag"]
    expect_error("PreconditionFailed", "", s3.copy_object, Bucket=bucket, Key="copies/c", CopySource=source, CopySourceIfNoneMatch=etag)


@test
def ranges_give_their_part_and_say_which():
    put("range", bytes(range(100)))
    for asked, start, end in (("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100), ("bytes=95-400", 95, 100)):
        answer = s3.get_object(Bucket=bucket, Key="range", Range=asked)
        assert answer["Body"].read() == bytes(range(start, end)), asked
        assert answer["ContentRange"] == f"bytes {start}-{end - 1}/100", answer["ContentRange"]
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    expect_error("InvalidRange", "", s3.get_object, Bucket=bucket, Key="range", Range="bytes=100-")


@test
def conditions_decide_over_reading_and_writing():
    etag = s3.put_object(Bucket=bucket, Key="once", Body=b"first", IfNoneMatch="*")["ETag"]
    expect_error("PreconditionFailed", "", s3.put_object, Bucket=bucket, Key="once", Body=b"second", IfNoneMatch="*")
    assert body_of("once") == b"first"
    expect_error("PreconditionFailed", "", s3.put_object, Bucket=bucket, Key="once", Body=b"second", IfMatch='"0"')
    s3.put_object(Bucket=bucket, Key="once", Body=b"second", IfMatch=etag)
    newer = s3.head_object(Bucket=bucket, Key="once")
    assert body_of("once", IfMatch=newer["ETag"]) == b"second"
    expect_error("PreconditionFailed", "", s3.get_object, Bucket=bucket, Key="once", IfMatch=etag)
    expect_error("304", "", s3.get_object, Bucket=bucket, Key="once", IfNoneMatch=newer["ETag"])
    expect_error("304", "", s3.get_object, Bucket=bucket, Key="once", IfModifiedSince=newer["LastModified"])


@test
def many_objects_are_deleted_in_one_call():
    for at in range(5):
        put(f"many/{at} & <more>", b"x")
    objects = [{"Key": f"many/{at} & <more>"} for at in range(4)] + [{"Key": "many/none"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert len(answer["Deleted"]) == 5 and "Errors" not in answer, answer
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="many/")["Contents"]] == ["many/4 & <more>"]
    expect_error("NoSuchKey", "", s3.get_object, Bucket=bucket, Key="many/0 & <more>")


@test
def listings_fold_folders_and_go_on_page_by_page():
    for folder in ("a", "a b", "a+b", "ü"):
        for at in range(3):
            put(f"tree/{folder}/{at}", b"x")
    put("tree/top", b"x")
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=bucket, Prefix="tree/", Delimiter="/", PaginationConfig={"PageSize": 2}))
    folders = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
    assert folders == ["tree/a b/", "tree/a+b/", "tree/a/", "tree/ü/"], folders
    assert [each["Key"] for page in pages for each in page.get("Contents", [])] == ["tree/top"]
    assert len(pages) == 3 and all(page["KeyCount"] <= 2 for page in pages)
    pages = list(paginator.paginate(Bucket=bucket, Prefix="tree/", PaginationConfig={"PageSize": 5}))
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    assert len(pages) == 3 and len(keys) == len(set(keys)) == 13, keys
    later = s3.list_objects_v2(Bucket=bucket, Prefix="tree/", StartAfter="tree/top")["Contents"]
    assert [each["Key"] for each in later] == [f"tree/ü/{at}" for at in range(3)], later
    first = [page for page in s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix="tree/", Delimiter="/", PaginationConfig={"PageSize": 2})]
    assert [each["Prefix"] for page in first for each in page.get("CommonPrefixes", [])] == folders


@test
def tags_stay_with_an_object_until_they_are_taken_away():
    s3.put_object(Bucket=bucket, Key="tagged", Body=b"x", Tagging="team=a%20b&stage=1")

    def tags():
        return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key="tagged")["TagSet"]}

    assert tags() == {"team": "a b", "stage": "1"}
    assert s3.head_object(Bucket=bucket, Key="tagged")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="tagged", Tagging={"TagSet": [{"Key": "k", "Value": "ü+1"}]})
    assert tags() == {"k": "ü+1"}
    s3.delete_object_tagging(Bucket=bucket, Key="tagged")
    assert tags() == {}


@test
def an_upload_in_parts_is_put_together_in_their_order():
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts/ü b", Metadata={"k": "v"})["UploadId"]
    where = {"Bucket": bucket, "Key": "parts/ü b", "UploadId": upload}
    parts = []
    for number, body in ((2, b"end"), (1, b"s" * PART)):
        etag = s3.upload_part(**where, PartNumber=number, Body=body)["ETag"]
        parts.insert(0, {"PartNumber": number, "ETag": etag})
    assert [part["Size"] for part in s3.list_parts(**where)["Parts"]] == [PART, 3]
    open_uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [each["Key"] for each in open_uploads] == ["parts/ü b"], open_uploads
    expect_error("InvalidPartOrder", "", s3.complete_multipart_upload, **where, MultipartUpload={"Parts": parts[::-1]})
    expect_error("404", "", s3.head_object, Bucket=bucket, Key="parts/ü b")
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-2"'), done
    assert body_of("parts/ü b") == b"s" * PART + b"end"
    assert s3.head_object(Bucket=bucket, Key="parts/ü b")["Metadata"] == {"k": "v"}


@test
def a_part_can_be_copied_and_an_aborted_upload_leaves_nothing():
    where = {"Bucket": bucket, "Key": "from-parts"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    source = {"Bucket": bucket, "Key": "parts/ü b"}
    etag = s3.upload_part_copy(**where, PartNumber=1, CopySource=source, CopySourceRange=f"bytes={PART}-{PART + 2}")["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert body_of("from-parts") == b"end"
    where = {"Bucket": bucket, "Key": "aborted"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    s3.upload_part(**where, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**where)
    expect_error("NoSuchUpload", "", s3.upload_part, **where, PartNumber=2, Body=b"x")
    expect_error("NoSuchUpload", "", s3.list_parts, **where)
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    expect_error("404", "", s3.head_object, Bucket=bucket, Key="aborted")


@test
def the_transfer_manager_sends_parts_at_once_and_reads_ranges():
    content = hashlib.sha256(b"seed").digest() * 500_000
    transfer = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(content), bucket, "transferred", Config=transfer, ExtraArgs={"ContentType": "a/b"})
    back = io.BytesIO()
    s3.download_fileobj(bucket, "transferred", back, Config=transfer)
    assert back.getvalue() == content
    s3.copy({"Bucket": bucket, "Key": "transferred"}, bucket, "transferred-copy", Config=transfer)
    head = s3.head_object(Bucket=bucket, Key="transferred-copy")
    assert head["ContentLength"] == len(content) and head["ETag"].endswith('-4"'), head


def fetch(address, **more):
    with urllib.request.urlopen(urllib.request.Request(address, **more)) as answer:
        return answer.status, answer.read()


@test
def presigned_addresses_work_until_they_are_tampered_with():
    signer = boto3.client("s3", config=Config(signature_version="s3v4"))
    key = "odd/a+b"
    address = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)
    assert "X-Amz-Signature" in address and fetch(address) == (200, b"a+b")
    try:
        fetch(address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))
    except urllib.error.HTTPError as error:
        assert error.code == 403 and b"SignatureDoesNotMatch" in error.read()
    else:
        raise AssertionError("a changed address was accepted")
    address = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "presigned ü"}, ExpiresIn=60)
    assert fetch(address, data=b"put without credentials", method="PUT")[0] == 200
    assert body_of("presigned ü") == b"put without credentials"


run()
