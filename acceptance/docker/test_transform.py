"""Batch transform with a model of one's own that tells what it is sent: records, batches, concurrency, wishes, filters, failures."""
import hashlib
import json
import os
import pathlib
import random
import struct

import boto3
from botocore.exceptions import ClientError

from docker_base import debian, docker, docker_output
from harness import Skipped, end_of, run, test, until

region = os.environ["AWS_DEFAULT_REGION"]
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-own-transform"
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
image = f"salvia-acceptance/transform:{os.getpid()}"
megabyte = 1 << 20
noise = random.Random(7)


@test
def an_image_is_built():
    if docker("image", "inspect", debian).returncode != 0:
        raise Skipped(f"the base image {debian} is missing: tools/docker/base-image makes it")
    docker_output("build", "-q", "-t", image, str(pathlib.Path(__file__).parent / "transform"))


def model(name, **environment):
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image, "Environment": environment})
    return name


def put(**objects):
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key.replace("__", "/"), Body=body)


def requested(name, model_name, split="Line", **changes):
    """The request of a job that transforms what lies below its own name."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{name}/", **changes.pop("source", {})}
    return dict(
        TransformJobName=name,
        ModelName=model_name,
        TransformInput={"DataSource": {"S3DataSource": source}, "SplitType": split, **changes.pop("input", {})},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out/{name}", "AssembleWith": "Line", **changes.pop("output", {})},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": changes.pop("instances", 1)},
        **changes,
    )


def ended(*given, **changes):
    request = requested(*given, **changes)
    sagemaker.create_transform_job(**request)
    return end_of(sagemaker.describe_transform_job, seconds=90, TransformJobName=request["TransformJobName"])


def completed(*given, **changes):
    job = ended(*given, **changes)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")


def failure(*given, **changes):
    job = ended(*given, **changes)
    assert job["TransformJobStatus"] == "Failed", job
    return job["FailureReason"]


def keys(name):
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"out/{name}/").get("Contents", [])
    return [item["Key"].removeprefix(f"out/{name}/") for item in listed]


def output(name, key):
    return s3.get_object(Bucket=bucket, Key=f"out/{name}/{key}.out")["Body"].read().decode()


def answers(name, key):
    return [json.loads(line) for line in output(name, key).splitlines()]


def described(records):
    return [[len(record), hashlib.md5(record).hexdigest()] for record in records]


def recordio(*records):
    return b"".join(struct.pack("<II", 0xCED7230A, len(each)) + each + bytes(-len(each) % 4) for each in records)


def tfrecord(*records):
    # Whether checksums are right is the reader's affair.
    return b"".join(struct.pack("<QI", len(each), 1) + each + struct.pack("<I", 2) for each in records)


# Of any length, empty, and with the marks of a frame inside.
odd = [b"", b"a", b"ab\n", struct.pack("<II", 0xCED7230A, 5), noise.randbytes(70_001), b"last"]


@test
def records_of_recordio_and_tfrecord_come_whole_one_by_one():
    for form, framed in (("recordio", recordio), ("tfrecord", tfrecord)):
        model(form, MODE=form)
        put(**{f"{form}-one__deep__odd": framed(*odd), f"{form}-one__empty": b""})
        completed(f"{form}-one", form, split={"recordio": "RecordIO", "tfrecord": "TFRecord"}[form], BatchStrategy="SingleRecord")
        assert answers(f"{form}-one", "deep/odd") == [described([record]) for record in odd]
        assert output(f"{form}-one", "empty") == ""


@test
def as_many_records_share_a_request_as_fit_and_none_is_torn():
    large = [noise.randbytes(300_000 + at) for at in range(7)]
    for form, framed, split in (("recordio", recordio, "RecordIO"), ("tfrecord", tfrecord, "TFRecord")):
        put(**{f"{form}-many__large": framed(*large), f"{form}-many__odd": framed(*odd)})
        completed(f"{form}-many", form, split=split, BatchStrategy="MultiRecord", MaxPayloadInMB=1)
        batches = [large[:3], large[3:6], large[6:]]
        assert answers(f"{form}-many", "large") == [described(batch) for batch in batches], answers(f"{form}-many", "large")
        assert answers(f"{form}-many", "odd") == [described(odd)]


@test
def a_record_that_mxnet_has_split_stays_together():
    magic = struct.pack("<I", 0xCED7230A)
    parts = [(1, b"begin---"), (2, b"middle--"), (3, b"end")]
    body = b"".join(magic + struct.pack("<I", flag << 29 | len(part)) + part + bytes(-len(part) % 4) for flag, part in parts)
    put(**{"parts__both": body + recordio(b"next")})
    completed("parts", "recordio", split="RecordIO", BatchStrategy="SingleRecord")
    assert answers("parts", "both") == [described([b"begin---" + magic + b"middle--" + magic + b"end"]), described([b"next"])]


@test
def a_record_over_the_payload_fails_the_job_with_its_key():
    huge = noise.randbytes(megabyte + 1)
    for form, framed, split in (("recordio", recordio, "RecordIO"), ("tfrecord", tfrecord, "TFRecord"), ("whole", lambda _, it: it, "None")):
        if form == "whole":
            model("whole", MODE="whole")
        put(**{f"{form}-huge__deep__huge": framed(b"small", huge)})
        reason = failure(f"{form}-huge", form, split=split, MaxPayloadInMB=1)
        assert reason.startswith("ClientError: deep/huge: a record is larger than MaxPayloadInMB (1 MB)"), reason
        assert keys(f"{form}-huge") == []
    put(**{"torn__half": recordio(b"whole", b"half")[:-5]})
    reason = failure("torn", "recordio", split="RecordIO")
    assert reason.startswith("ClientError: half: it ends inside of a RecordIO record"), reason


@test
def without_a_split_each_object_is_one_request():
    contents = [b"", b"one\ntwo\n", noise.randbytes(900_000)]
    put(**{f"plain__{at}": content for at, content in enumerate(contents)})
    completed("plain", "whole", split="None", MaxPayloadInMB=1)
    # An empty object has nothing to ask about.
    assert output("plain", "0") == ""
    assert [answers("plain", str(at)) for at in (1, 2)] == [[described([content])] for content in contents[1:]]
    put(**{"endless__large": noise.randbytes(3 * megabyte)})
    completed("endless", "whole", split="None", MaxPayloadInMB=0, BatchStrategy="SingleRecord")
    assert [[length for length, _ in line] for line in answers("endless", "large")] == [[3 * megabyte]]


def lines(count, width=10):
    return "".join(f"{at:0{width}d}\n" for at in range(count))


@test
def what_the_request_leaves_open_the_model_decides():
    wishes = {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
    model("wishing", MODE="together", TOGETHER="4", EXECUTION_PARAMETERS=json.dumps(wishes))
    put(wishes__rows=lines(12))
    completed("wishes", "wishing")
    # Four at the same time, answered backwards: the model refuses fewer.
    assert output("wishes", "rows") == lines(12)
    put(wished__long=b"x" * (megabyte + 1) + b"\n")
    assert "long: a record is larger than MaxPayloadInMB (1 MB)" in failure("wished", "wishing")
    model("wishing-lines", EXECUTION_PARAMETERS=json.dumps(wishes))
    put(heard__rows=lines(5))
    completed("heard", "wishing-lines", BatchStrategy="MultiRecord", MaxPayloadInMB=2)
    assert answers("heard", "rows") == [lines(5).split()]


@test
def a_model_without_wishes_or_with_strange_ones_gets_the_defaults():
    for at, wishes in enumerate((None, "no json", "[1]", '{"MaxConcurrentTransforms": -1, "BatchStrategy": "ALL", "MaxPayloadInMB": "six"}')):
        name = f"strange-{at}"
        model(name, **({} if wishes is None else {"EXECUTION_PARAMETERS": wishes}))
        put(**{f"{name}__rows": lines(5)})
        completed(name, name)
        assert answers(name, "rows") == [lines(5).split()]


@test
def requests_are_in_flight_together_over_objects_too_and_order_is_kept():
    model("together", MODE="together", TOGETHER="6")
    # 24 lines of which no object has six.
    put(**{f"together__{at:02d}": lines(4) for at in range(6)}, together__rows=lines(36))
    completed("together", "together", BatchStrategy="SingleRecord", MaxConcurrentTransforms=6)
    assert output("together", "rows") == lines(36)
    assert [output("together", f"{at:02d}") for at in range(6)] == [lines(4)] * 6


@test
def two_instances_share_many_objects():
    model("lines")
    put(**{f"many__part-{at:02d}": f"row {at}\nsecond {at}\n" for at in range(40)})
    completed("many", "lines", instances=2, MaxConcurrentTransforms=4)
    assert len(keys("many")) == 40
    for at in range(40):
        assert answers("many", f"part-{at:02d}") == [[f"row {at}", f"second {at}"]]


@test
def answers_are_put_together_with_and_without_line_ends():
    put(ends__rows="a\nb\nc")
    completed("ends", "lines", BatchStrategy="SingleRecord")
    assert output("ends", "rows") == '["a"]\n["b"]\n["c"]\n'
    put(none__rows="a\nb\nc")
    completed("none", "lines", BatchStrategy="SingleRecord", output={"AssembleWith": "None"})
    assert output("none", "rows") == '["a"]["b"]["c"]'


@test
def csv_is_filtered_and_joined():
    model("csv", MODE="csv")
    put(csv__rows='id-1,1,2\n"id, 2",3,4\nid-3,5,6\n')
    types = {"input": {"ContentType": "text/csv"}, "output": {"Accept": "text/csv"}}
    completed("csv", "csv", DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}, **types)
    assert output("csv", "rows") == 'id-1,3.0\n"id, 2",7.0\nid-3,11.0\n'
    put(all__rows="1,2\n3,4\n")
    completed("all", "csv", DataProcessing={"JoinSource": "Input"}, **types)
    assert output("all", "rows") == "1,2,3.0\n3,4,7.0\n"


@test
def json_is_filtered_and_joined():
    model("json", MODE="json")
    rows = [{"id": 1, "features": [1, 2]}, {"id": 2, "features": []}]
    put(json__rows="".join(json.dumps(row) + "\n" for row in rows))
    types = {"input": {"ContentType": "application/jsonlines"}, "output": {"Accept": "application/jsonlines"}}
    processing = {"InputFilter": "$.features", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    completed("json", "json", DataProcessing=processing, **types)
    expected = [{"id": row["id"], "SageMakerOutput": {"kind": "list", "seen": row["features"]}} for row in rows]
    assert answers("json", "rows") == expected, answers("json", "rows")
    # What is no object gets a pair of its own.
    put(lists__rows="[1]\n2\n")
    completed("lists", "json", DataProcessing={"JoinSource": "Input"}, **types)
    expected = [{"SageMakerInput": value, "SageMakerOutput": {"kind": type(value).__name__, "seen": value}} for value in ([1], 2)]
    assert answers("lists", "rows") == expected, answers("lists", "rows")
    put(document__one='{"a": {"b": [1, 2, 3]}}')
    types = {"input": {"ContentType": "application/json"}, "output": {"Accept": "application/json"}}
    processing = {"InputFilter": "$.a.b[1:]", "JoinSource": "Input", "OutputFilter": "$.SageMakerOutput.seen"}
    completed("document", "json", split="None", DataProcessing=processing, **types)
    assert answers("document", "one") == [[2, 3]], output("document", "one")


@test
def a_record_that_is_refused_fails_the_job_with_its_key_and_the_others_are_done():
    for status in ("400", "500"):
        name = f"refused-{status}"
        put(**{f"{name}__{at}__rows": "x\n" if at != 2 else f"x\nrefuse-{status}\n" for at in range(8)})
        reason = failure(name, "lines", BatchStrategy="SingleRecord", instances=2)
        said = {"400": "this record is none of mine", "500": "out of order"}[status]
        assert reason == f"ClientError: 2/rows: the model answered {status}: {said}", reason
        assert keys(name) == [f"{at}/rows.out" for at in range(8) if at != 2], keys(name)


@test
def a_request_is_retried_as_often_as_asked_and_given_up_in_time():
    model("flaky", MODE="flaky")
    put(flaky__rows="a\nb\n")
    completed("flaky", "flaky", BatchStrategy="SingleRecord", ModelClientConfig={"InvocationsMaxRetries": 2})
    assert output("flaky", "rows") == "a\nb\n"
    put(once__rows="c\n")
    model("flaky-once", MODE="flaky")
    reason = failure("once", "flaky-once", ModelClientConfig={"InvocationsMaxRetries": 1})
    assert reason == "ClientError: rows: the model answered 503: not yet", reason
    model("silent", MODE="silent")
    put(silent__rows="c\n")
    reason = failure("silent", "silent", ModelClientConfig={"InvocationsTimeoutInSeconds": 1})
    assert reason == "ClientError: rows: the model did not answer within 1 s (InvocationsTimeoutInSeconds)", reason


@test
def the_model_is_told_what_the_request_says_and_nothing_else():
    model("environment", MODE="environment", SAGEMAKER_OWN="mine")
    put(plainly__x="x\n", fully__x="x\n")
    completed("plainly", "environment")
    (told,) = answers("plainly", "x")
    own = {name: value for name, value in told.items() if "BATCH" in name or "MAX" in name or "OWN" in name or "JOB" in name}
    arn = f"arn:aws:sagemaker:{region}:{account}:transform-job"
    named = {"TRANSFORM_JOB_NAME": "plainly", "TRANSFORM_JOB_ARN": f"{arn}/plainly"}
    assert own == {"SAGEMAKER_BATCH": "true", "SAGEMAKER_OWN": "mine", **named}, told
    completed("fully", "environment", BatchStrategy="SingleRecord", MaxPayloadInMB=2, MaxConcurrentTransforms=3)
    (told,) = answers("fully", "x")
    given = [told[f"SAGEMAKER_{name}"] for name in ("BATCH_STRATEGY", "MAX_PAYLOAD_IN_MB", "MAX_CONCURRENT_TRANSFORMS")]
    assert given == ["SINGLE_RECORD", "2", "3"], told
    model("headers", MODE="headers")
    put(headers__x="x\n")
    completed("headers", "headers", input={"ContentType": "text/x-own; a=1"}, output={"Accept": "application/x-own"})
    (told,) = answers("headers", "x")
    assert told["content-type"] == "text/x-own; a=1" and told["accept"] == "application/x-own", told


@test
def a_manifest_names_the_objects():
    put(listed__data__a="1\n", listed__data__deep__b="2\n", listed__data__c="3\n")
    put(listed__manifest=json.dumps([{"prefix": f"s3://{bucket}/listed/data/"}, "deep/b", "a"]))
    completed("listed", "lines", source={"S3DataType": "ManifestFile", "S3Uri": f"s3://{bucket}/listed/manifest"})
    assert keys("listed") == ["a.out", "deep/b.out"], keys("listed")
    assert answers("listed", "deep/b") == [["2"]]
    put(unlisted__manifest=json.dumps([{"prefix": f"s3://{bucket}/listed/data/"}, "no-such"]))
    reason = failure("unlisted", "lines", source={"S3DataType": "ManifestFile", "S3Uri": f"s3://{bucket}/unlisted/manifest"})
    assert "listed/data/no-such" in reason and "unlisted/manifest" in reason, reason
    augmented = {"S3DataType": "AugmentedManifestFile", "S3Uri": f"s3://{bucket}/listed/manifest"}
    try:
        sagemaker.create_transform_job(**requested("augmented", "lines", source=augmented))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
        assert "AugmentedManifestFile cannot be used with batch transform" in str(error), error
    else:
        raise AssertionError("an augmented manifest was accepted")


@test
def nothing_is_left_in_the_engine():
    until(lambda: docker_output("ps", "-aq", "--filter", f"ancestor={image}") == "", "an empty engine", seconds=60)
    docker_output("rmi", "-f", image)


run()
