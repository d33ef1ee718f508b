"""Which instance gets which data, in which order and under which names: shards, shuffling, prefixes that are no folders, processing inputs."""
import gzip
import json
import os

import boto3
from botocore.exceptions import ClientError

from harness import end_of, files_of, run, test
from records import records_of
from script_job import image, script_request

region = os.environ["AWS_DEFAULT_REGION"]
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-input-shares"
s3, api, logs = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("logs")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})

READER = """
import json, os, sys
host = json.load(open(os.environ["CONFIG"] + "/resourceconfig.json"))["current_host"]
def read(path): return open(path, "rb").read().decode("latin1")
def files(folder):
    found = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    return {os.path.relpath(path, folder): read(path) for path in sorted(found)}
def seen(place): return [read(f"{place}_{epoch}") for epoch in range(4)] if os.path.exists(place + "_0") else files(place)
out, *places = sys.argv[1:]
os.makedirs(out, exist_ok=True)
json.dump({os.path.basename(place): seen(place) for place in places}, open(f"{out}/{host}.json", "w"))
"""
s3.put_object(Bucket=bucket, Key="code/reader.py", Body=READER)

# Of one length, so that a stream can be taken apart.
words = [f"<{at:02d}>" for at in range(20)]
for at, word in enumerate(words):
    s3.put_object(Bucket=bucket, Key=f"words/{at:02d}", Body=word)
    s3.put_object(Bucket=bucket, Key=f"zipped/{at:02d}.gz", Body=gzip.compress(word.encode()))


def apart(stream):
    return [stream[at : at + 4] for at in range(0, len(stream), 4)]


def channel(name, uri, data_type="S3Prefix", mode="File", distribution="FullyReplicated", attributes=(), **changes):
    source = {"S3DataType": data_type, "S3Uri": f"s3://{bucket}/{uri}", "S3DataDistributionType": distribution}
    if attributes:
        source["AttributeNames"] = list(attributes)
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}, **changes}


def start(name, channels, instances=1):
    arguments = ["/opt/ml/model", *(f"/opt/ml/input/data/{each['ChannelName']}" for each in channels)]
    request = script_request(name, role, bucket, "code/reader.py", channels, arguments, InstanceCount=instances, VolumeSizeInGB=5)
    api.create_training_job(**request, Environment={"CONFIG": "/opt/ml/input/config"})


def trained(name, channels, instances=1):
    """What each instance saw, in their order: {channel: epochs, or files}."""
    start(name, channels, instances)
    described = end_of(api.describe_training_job, TrainingJobName=name)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    found = files_of(s3, described["ModelArtifacts"]["S3ModelArtifacts"])
    return [json.loads(found[f"algo-{at + 1}.json"]) for at in range(instances)]


def refused(name, channels):
    try:
        start(name, channels)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
        return str(error)
    raise AssertionError("accepted")


def lines_of(group, job):
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    events = (logs.get_log_events(logGroupName=group, logStreamName=each["logStreamName"])["events"] for each in streams)
    return [event["message"] for page in events for event in page]


def put_manifests():
    names = [f"{at:02d}" for at in reversed(range(20))]
    s3.put_object(Bucket=bucket, Key="some.manifest", Body=json.dumps([{"prefix": f"s3://{bucket}/words/"}, *names]))
    lines = [json.dumps({"label": f"={at:02d}=", "source-ref": f"s3://{bucket}/words/{at:02d}"}) for at in range(20)]
    s3.put_object(Bucket=bucket, Key="augmented.manifest", Body="\n".join(lines))


put_manifests()
augmented = dict(uri="augmented.manifest", data_type="AugmentedManifestFile", attributes=("source-ref", "label"))
pairs = [word + f"={at:02d}=" for at, word in enumerate(words)]


@test
def shuffled_channels_have_another_order_each_epoch_and_the_same_with_the_same_seed():
    def sources(seed, letter):
        shuffled = dict(mode="Pipe", ShuffleConfig={"Seed": seed})
        return [
            channel(f"prefix{letter}", "words/", **shuffled),
            channel(f"manifest{letter}", "some.manifest", "ManifestFile", **shuffled),
            channel(f"augmented{letter}", **augmented, **shuffled),
        ]

    (seen,) = trained("shuffled", [*sources(7, "A"), *sources(7, "B"), *sources(8, "C"), channel("plain", "some.manifest", "ManifestFile", mode="Pipe")])
    assert seen["plain"] == ["".join(reversed(words))] * 4
    for name in ("prefix", "manifest", "augmented"):
        epochs, again, other = (seen[name + letter] for letter in "ABC")
        if name == "augmented":
            taken = [[epoch[at : at + 8] for at in range(0, len(epoch), 8)] for epoch in epochs]
            whole = pairs
        else:
            taken, whole = [apart(epoch) for epoch in epochs], words
        # Each epoch has all of them once, and a line's attributes stay together.
        assert all(sorted(epoch) == whole for epoch in taken), (name, taken)
        assert len(set(epochs)) == 4, (name, epochs)
        assert epochs == again and epochs[0] != other[0], name


@test
def two_instances_share_a_manifest_and_an_augmented_one():
    sharded = dict(distribution="ShardedByS3Key")
    first, second = trained(
        "shards",
        [
            channel("files", "some.manifest", "ManifestFile", **sharded),
            channel("prefix", "words/", **sharded),
            channel("pipe", "some.manifest", "ManifestFile", "Pipe", **sharded),
            channel("lines", **augmented, mode="Pipe", **sharded),
            channel("records", **augmented, mode="Pipe", RecordWrapperType="RecordIO", **sharded),
            channel("all", "some.manifest", "ManifestFile", "Pipe"),
        ],
        instances=2,
    )
    for name in ("files", "prefix"):
        assert len(first[name]) == len(second[name]) == 10, name
        assert first[name] | second[name] == {f"{at:02d}": word for at, word in enumerate(words)}, name
    for name, whole in (("pipe", list(reversed(words))), ("lines", pairs)):
        one, other = ([seen[name][0][at : at + len(whole[0])] for at in range(0, len(seen[name][0]), len(whole[0]))] for seen in (first, second))
        # In the manifest's order, each on one of them.
        assert len(one) == len(other) == 10 and sorted(one + other) == sorted(whole), (name, one, other)
        assert [each for each in whole if each in one] == one and [each for each in whole if each in other] == other, (name, one, other)
        assert all(len(set(seen[name])) == 1 for seen in (first, second)), name
    for seen in (first, second):
        assert records_of(seen["records"][0]) == apart(seen["lines"][0]), seen["records"][0][:40]
        assert seen["all"] == ["".join(reversed(words))] * 4


@test
def a_prefix_that_is_no_folder_gives_the_same_names_in_each_mode():
    for key in ("train1/deep/x", "train1/y", "trainfile", "test"):
        s3.put_object(Bucket=bucket, Key=f"data/{key}", Body=key)
    s3.put_object(Bucket=bucket, Key="data/trained", Body="x" * 50_000)
    (seen,) = trained("no-folder", [channel("fast", "data/tra", mode="FastFile"), channel("file", "data/tra")])
    expected = {key: key for key in ("train1/deep/x", "train1/y", "trainfile")}
    assert seen["fast"] == seen["file"] == {**expected, "trained": "x" * 50_000}, seen
    # What has no file of its own was copied, and the log says so in one line.
    said = [line for line in lines_of("/aws/sagemaker/TrainingJobs", "no-folder") if "FastFile" in line]
    assert len(said) == 1 and "3 of the 4 files of the channel fast were copied (30 bytes)" in said[0], said


@test
def a_folder_cannot_have_the_name_of_a_pipe():
    pipe = channel("train", "words/", mode="Pipe")
    said = refused("clash", [pipe, channel("train_0", "words/")])
    assert 'InputDataConfig "train_0": the channel "train" has the input mode Pipe' in said, said
    (seen,) = trained("no-clash", [pipe, channel("train_0", "words/", mode="Pipe"), channel("train_x", "words/00")])
    assert seen["train"] == seen["train_0"] == ["".join(words)] * 4 and seen["train_x"] == {"00": "<00>"}


def processing_input(name, uri, path=None, **changes):
    source = {"S3Uri": f"s3://{bucket}/{uri}", "LocalPath": path or f"/opt/ml/processing/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {**source, **changes}}


def process(name, inputs, instances=1):
    api.create_processing_job(
        ProcessingJobName=name,
        AppSpecification={
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/reader.py"],
            "ContainerArguments": ["/opt/ml/processing/seen", *(each["S3Input"]["LocalPath"] for each in inputs)],
        },
        Environment={"CONFIG": "/opt/ml/config"},
        RoleArn=role,
        ProcessingInputs=[*inputs, processing_input("code", "code/")],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "seen",
                    "S3Output": {"S3Uri": f"s3://{bucket}/{name}", "LocalPath": "/opt/ml/processing/seen", "S3UploadMode": "EndOfJob"},
                }
            ]
        },
        ProcessingResources={"ClusterConfig": {"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
    )
    described = end_of(api.describe_processing_job, ProcessingJobName=name)
    assert described["ProcessingJobStatus"] == "Completed", described.get("FailureReason")
    body = lambda at: s3.get_object(Bucket=bucket, Key=f"{name}/algo-{at + 1}.json")["Body"].read()
    return [json.loads(body(at)) for at in range(instances)]


@test
def processing_inputs_are_shared_by_key_and_streamed_with_gzip():
    sharded = dict(S3DataDistributionType="ShardedByS3Key")
    piped = dict(S3InputMode="Pipe", S3CompressionType="Gzip")
    first, second = process(
        "processed",
        [
            processing_input("shard", "words/", **sharded),
            processing_input("all", "words/"),
            processing_input("manifest", "some.manifest", S3DataType="ManifestFile", **sharded),
            processing_input("zipped", "zipped/", "/opt/ml/processing/deep/zipped", **piped),
            processing_input("zipshard", "zipped/", **piped, **sharded),
            processing_input("pipe", "words/", S3InputMode="Pipe"),
        ],
        instances=2,
    )
    whole = {f"{at:02d}": word for at, word in enumerate(words)}
    for seen in (first, second):
        assert seen["all"] == whole
        assert seen["zipped"] == seen["pipe"] == ["".join(words)] * 4, seen
    for name in ("shard", "manifest"):
        assert len(first[name]) == len(second[name]) == 10 and first[name] | second[name] == whole, name
    shards = [apart(seen["zipshard"][0]) for seen in (first, second)]
    assert [len(shard) for shard in shards] == [10, 10] and sorted(shards[0] + shards[1]) == words, shards


@test
def processing_inputs_that_cannot_be_are_refused_in_words():
    pipe = processing_input("pipe", "words/", S3InputMode="Pipe")
    for inputs, part in (
        ([processing_input("zipped", "zipped/", S3CompressionType="Gzip")], "Gzip can only be used with the S3InputMode Pipe"),
        ([pipe, processing_input("other", "words/", "/opt/ml/processing/pipe_0/x")], "goes through /opt/ml/processing/pipe_0, which is a FIFO"),
    ):
        try:
            process("refused", inputs)
        except ClientError as error:
            assert part in str(error) and error.response["Error"]["Code"] == "ValidationException", error
        else:
            raise AssertionError(f"accepted, where {part} was expected")


run()
