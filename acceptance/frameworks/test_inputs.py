"""Every way in which a script gets its data: Pipe with several channels, shuffled, wrapped and gzip; FastFile; sharded."""
import gzip
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.exceptions import ClientError

from harness import end_of, files_of, run, test, until
from records import records_of
from script_job import script_request

region = os.environ["AWS_DEFAULT_REGION"]
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-inputs"
s3, api = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})

READER = """
import json, os, sys
base = "/opt/ml/input/"
config = json.load(open(base + "config/inputdataconfig.json"))
def read(name): return open(base + "data/" + name, "rb").read().decode("latin1")
seen = {"config": config}
for name, about in config.items():
    if name == "code": continue
    if about["TrainingInputMode"] == "Pipe": seen[name] = [read(name + "_" + str(epoch)) for epoch in range(3)]
    else: seen[name] = {file: read(name + "/" + file) for file in sorted(os.listdir(base + "data/" + name))}
json.dump(seen, open("/opt/ml/model/seen.json", "w"))
"""

s3.put_object(Bucket=bucket, Key="code/reader.py", Body=READER)


def channel(name, prefix, **changes):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}", **changes.pop("source", {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}


def request(name, script, channels, **changes):
    """For a job that runs a script of the bucket, which is its channel `code`."""
    return script_request(name, role, bucket, script, channels, **changes)


def job(name, channels, **changes):
    api.create_training_job(**request(name, "code/reader.py", channels, **changes))
    return ended(name)


def ended(name):
    return end_of(api.describe_training_job, TrainingJobName=name)


def seen_by(described):
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    return json.loads(files_of(s3, described["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])


@test
def pipes_files_and_fast_files_stand_side_by_side():
    for at in range(20):
        s3.put_object(Bucket=bucket, Key=f"many/{at:02d}", Body=chr(65 + at) * 3)
    s3.put_object(Bucket=bucket, Key="zipped/x", Body=gzip.compress(b"was zipped"))
    seen = seen_by(
        job(
            "inputs",
            [
                channel("plain", "many/", InputMode="Pipe"),
                channel("mixed", "many/", InputMode="Pipe", ShuffleConfig={"Seed": 7}),
                channel("wrapped", "many/0", InputMode="Pipe", RecordWrapperType="RecordIO"),
                channel("zipped", "zipped/", InputMode="Pipe", CompressionType="Gzip"),
                channel("fast", "many/1", InputMode="FastFile"),
                channel("files", "many/0"),
            ],
        )
    )
    plain = "".join(chr(65 + at) * 3 for at in range(20))
    assert seen["plain"] == [plain] * 3, seen["plain"]
    assert all(sorted(epoch) == sorted(plain) and epoch != plain for epoch in seen["mixed"]), seen["mixed"]
    assert len(set(seen["mixed"])) == 3
    record = "\x0a\x23\xd7\xce\x03\x00\x00\x00"
    assert seen["wrapped"][0] == "".join(record + chr(65 + at) * 3 + "\x00" for at in range(10)), seen["wrapped"][0][:40]
    assert seen["zipped"] == ["was zipped"] * 3
    assert seen["fast"] == {f"{at:02d}": chr(65 + at) * 3 for at in range(10, 20)}, seen["fast"]
    assert seen["files"] == {f"{at:02d}": chr(65 + at) * 3 for at in range(10)}, seen["files"]
    assert {name: about["TrainingInputMode"] for name, about in seen["config"].items() if name != "code"} == {
        "plain": "Pipe", "mixed": "Pipe", "wrapped": "Pipe", "zipped": "Pipe", "fast": "FastFile", "files": "File",
    }
    assert seen["config"]["wrapped"]["RecordWrapperType"] == "RecordIO"


@test
def what_cannot_be_streamed_fails_with_its_name():
    s3.put_object(Bucket=bucket, Key="broken/x", Body=b"no gzip at all")
    described = job("broken", [channel("zipped", "broken/", InputMode="Pipe", CompressionType="Gzip")])
    assert described["TrainingJobStatus"] == "Failed", described
    assert described["FailureReason"].startswith("ClientError: Data download failed: x is no gzip"), described["FailureReason"]
    try:
        job("refused", [channel("x", "many/", RecordWrapperType="RecordIO")])
    except ClientError as error:
        assert "RecordWrapperType RecordIO needs the input mode Pipe" in str(error), error
    else:
        raise AssertionError("RecordIO in File mode was accepted")


LOOKER = """
import hashlib, json, os
base = "/opt/ml/input/data/"
def refused(action, *words):
    try: action(*words)
    except OSError as error: return error.strerror
    return "done"
def tried(path):
    return refused(lambda: open(path, "a").write("x"))
mounts = [line.split()[4] for line in open("/proc/self/mountinfo")]
seen = {"mounts": [path for path in mounts if path.startswith(base)]}
if os.path.exists(base + "fast"):
    seen["large"] = hashlib.sha256(open(base + "fast/deep/large", "rb").read()).hexdigest()
    seen["small"] = open(base + "fast/small").read()
    seen["tried"] = [tried(base + "fast/" + name) for name in ("deep/large", "small", "new")]
    seen["tried"] += [refused(os.chmod, base + "fast/deep/large", 0o777), refused(os.unlink, base + "fast/deep/large")]
    # The mount goes with its folder.
    refused(os.rename, "/opt/ml/input/data", "/opt/ml/input/moved")
    base = "/opt/ml/input/moved/" if os.path.exists("/opt/ml/input/moved") else base
    seen["tried"].append(tried(base + "fast/deep/large"))
    found = [os.stat(f"{base}fast/many/{at:03d}") for at in range(300)]
    seen["many"] = [sum(facts.st_size for facts in found), min(facts.st_nlink for facts in found)]
for name in ("ro", "rw"):
    if os.path.exists(base + name): seen[name] = [open(base + name + "/shared.txt").read(), tried(base + name + "/shared.txt")]
json.dump(seen, open("/opt/ml/model/seen.json", "w"))
"""


@test
def fast_files_are_bound_and_cannot_be_written():
    large = os.urandom(3_000_000)
    s3.put_object(Bucket=bucket, Key="fast/deep/large", Body=large)
    s3.put_object(Bucket=bucket, Key="fast/small", Body="s")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: s3.put_object(Bucket=bucket, Key=f"fast/many/{at:03d}", Body=bytes(100_000)), range(300)))
    s3.put_object(Bucket=bucket, Key="code/reader.py", Body=LOOKER)
    seen = seen_by(job("fast", [channel("fast", "fast/", InputMode="FastFile")]))
    assert seen["large"] == hashlib.sha256(large).hexdigest() and seen["small"] == "s"
    # What is stored belongs to the server, which is another user.
    assert "done" not in seen["tried"] and seen["tried"][2] == "Read-only file system", seen["tried"]
    assert seen["mounts"] == ["/opt/ml/input/data/fast"], seen["mounts"]
    # Not one of them is a copy.
    assert seen["many"][0] == 30_000_000 and seen["many"][1] > 1, seen["many"]
    # A program that tried to write has changed nothing.
    assert s3.get_object(Bucket=bucket, Key="fast/deep/large")["Body"].read() == large


def files(name, mode, path="/data", identifier="fs-0acce97ed"):
    source = {"FileSystemId": identifier, "FileSystemAccessMode": mode, "FileSystemType": "EFS", "DirectoryPath": path}
    return {"ChannelName": name, "DataSource": {"FileSystemDataSource": source}}


@test
def a_folder_of_the_machine_stands_for_a_file_system():
    seen = seen_by(job("file-system", [files("ro", "ro")]))
    assert seen["ro"][0] == "of the machine" and seen["ro"][1] != "written", seen
    described = job("file-system-none", [files("ro", "ro", "/none")])
    assert 'The directory "/none" of the file system "fs-0acce97ed" does not exist' in described["FailureReason"], described
    for channel_of, part in (
        (files("x", "ro", "/../.."), 'must begin with "/" and have no'),
        (files("x", "ro", "/", "fs-00000bad"), "salvia serve --file-system fs-00000bad=FOLDER"),
        ({**files("x", "ro"), "InputMode": "Pipe"}, "needs the input mode File"),
    ):
        try:
            job("refused", [channel_of])
        except ClientError as error:
            assert part in str(error), error
        else:
            raise AssertionError(f"accepted, where {part} was expected")
    s3.put_object(Bucket=bucket, Key="code/reader.py", Body=READER)


@test
def an_augmented_manifest_streams_objects_and_labels_in_turn():
    lines = []
    for at in range(12):
        s3.put_object(Bucket=bucket, Key=f"pictures/{at}", Body=f"picture {at}" + "x" * at)
        label = {"kind": at} if at == 11 else at % 3
        lines.append(json.dumps({"source-ref": f"s3://{bucket}/pictures/{at}", "class": label, "note": "left out"}))
    s3.put_object(Bucket=bucket, Key="labels.manifest", Body="\n".join(lines) + "\n")
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": f"s3://{bucket}/labels.manifest", "AttributeNames": ["source-ref", "class"]}
    described = job(
        "augmented",
        [
            channel("wrapped", "", source=source, InputMode="Pipe", RecordWrapperType="RecordIO"),
            channel("mixed", "", source=source, InputMode="Pipe", RecordWrapperType="RecordIO", ShuffleConfig={"Seed": 5}),
            channel("plain", "", source=source, InputMode="Pipe"),
        ],
    )
    seen = seen_by(described)
    expected = [(f"picture {at}" + "x" * at, '{"kind":11}' if at == 11 else str(at % 3)) for at in range(12)]
    flat = [part for pair in expected for part in pair]
    assert records_of(seen["wrapped"][0]) == flat, seen["wrapped"][0][:100]
    assert seen["plain"][1] == "".join(flat), seen["plain"][1][:100]
    mixed = records_of(seen["mixed"][2])
    pairs = list(zip(mixed[::2], mixed[1::2]))
    assert pairs != expected and sorted(pairs) == sorted(expected), pairs


@test
def an_augmented_manifest_without_the_attribute_names_line_and_attribute():
    s3.put_object(Bucket=bucket, Key="bad.manifest", Body='{"class": 1}\n{"other": 1}\n')
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": f"s3://{bucket}/bad.manifest", "AttributeNames": ["class"]}
    described = job("augmented-bad", [channel("wrapped", "", source=source, InputMode="Pipe")])
    assert described["TrainingJobStatus"] == "Failed", described
    assert 'line 2: it has no attribute "class"' in described["FailureReason"], described["FailureReason"]


@test
def the_built_in_k_means_reads_its_epochs_from_pipes():
    for at, corner in enumerate([(0, 0), (100, 0), (0, 100)]):
        rows = "".join(f"{corner[0] + row % 3},{corner[1] + row % 5}\n" for row in range(200))
        s3.put_object(Bucket=bucket, Key=f"corners/{at}", Body=rows)
    pipe = {"InputMode": "Pipe", "ContentType": "text/csv;label_size=0"}
    api.create_training_job(
        TrainingJobName="piped-kmeans",
        AlgorithmSpecification={"TrainingImage": "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1", "TrainingInputMode": "File"},
        RoleArn=role,
        HyperParameters={"k": "3", "feature_dim": "2", "mini_batch_size": "50", "epochs": "3"},
        InputDataConfig=[
            channel("train", "corners/", ShuffleConfig={"Seed": 3}, **pipe),
            channel("test", "corners/", **pipe),
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    described = ended("piped-kmeans")
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    values = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
    # Of three and of five values in turn: 2/3 and 2.
    assert 2.5 < values["test:msd"] < 2.8, values


COUNTER = """
import os, sys, time
folder = "/opt/ml/checkpoints"
path = folder + "/count"
begun = int(open(path).read()) if os.path.exists(path) else 0
print("begins at", begun, sorted(os.listdir(folder)))
for count in range(begun, begun + 3):
    with open(path + ".new", "w") as file: file.write(str(count + 1))
    os.replace(path + ".new", path)
os.makedirs(folder + "/deep", exist_ok=True)
open(folder + f"/deep/{begun}", "w").write("x")
open("/opt/ml/model/count", "w").write(str(count + 1))
for _ in range(300):
    if begun or os.path.exists("/opt/ml/checkpoints/go"): break
    time.sleep(0.1)
    if _ == 60: break
"""


def counting(name):
    return {**request(name, "counter/counter.py", []), "CheckpointConfig": {"S3Uri": f"s3://{bucket}/saved"}}


def saved():
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="saved/").get("Contents", [])]


@test
def checkpoints_are_stored_while_a_job_runs_and_another_goes_on_from_them():
    s3.put_object(Bucket=bucket, Key="counter/counter.py", Body=COUNTER)
    api.create_training_job(**counting("counts"))
    until(lambda: saved() == ["saved/count", "saved/deep/0"], "stored")
    assert api.describe_training_job(TrainingJobName="counts")["TrainingJobStatus"] == "InProgress"
    assert s3.get_object(Bucket=bucket, Key="saved/count")["Body"].read() == b"3"
    assert ended("counts")["TrainingJobStatus"] == "Completed"
    before = s3.head_object(Bucket=bucket, Key="saved/deep/0")["LastModified"]
    api.create_training_job(**counting("goes-on"))
    described = ended("goes-on")
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    assert described["CheckpointConfig"]["S3Uri"] == f"s3://{bucket}/saved"
    assert s3.get_object(Bucket=bucket, Key="saved/count")["Body"].read() == b"6"
    # What was brought in and not changed is not stored again.
    assert s3.head_object(Bucket=bucket, Key="saved/deep/0")["LastModified"] == before
    api.create_training_job(**{**counting("nowhere"), "CheckpointConfig": {"S3Uri": "s3://no-such-bucket-at-all/x"}})
    described = ended("nowhere")
    assert described["TrainingJobStatus"] == "Failed" and "CheckpointConfig: The specified bucket does not exist" in described["FailureReason"]


SPOT = """
import os, signal, sys, time
path = "/opt/ml/checkpoints/steps"
done = int(open(path).read()) if os.path.exists(path) else 0
print("goes on from", done, flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
for step in range(done, done + 1000):
    with open(path + ".new", "w") as file: file.write(str(step + 1))
    os.replace(path + ".new", path)
    time.sleep(0.05)
    if done: break
open("/opt/ml/model/steps", "w").write(str(step + 1))
"""


@test
def a_spot_job_that_is_interrupted_goes_on_from_its_checkpoint():
    s3.put_object(Bucket=bucket, Key="spot/spot.py", Body=SPOT)
    asked = request("spot", "spot/spot.py", [], InstanceType="ml.c5n.xlarge")
    asked.update(
        CheckpointConfig={"S3Uri": f"s3://{bucket}/spot-saved"},
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 300, "MaxWaitTimeInSeconds": 600},
    )
    api.create_training_job(**asked)
    described = ended("spot")
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    steps = [each["Status"] for each in described["SecondaryStatusTransitions"]]
    assert steps.count("Interrupted") == 1 and steps.count("Training") == 2 and steps[-1] == "Completed", steps
    assert int(s3.get_object(Bucket=bucket, Key="spot-saved/steps")["Body"].read()) > 10
    ran, billable = described["TrainingTimeInSeconds"], described["BillableTimeInSeconds"]
    assert ran >= 2 and billable < ran, (ran, billable)


run()
