"""Inputs of more than 10 GB: streamed, and read where they lie, in the memory that any job takes."""
import gzip
import json
import os
import pathlib

import boto3

from harness import files_of, run, test, until
from script_job import script_request

region = os.environ["AWS_DEFAULT_REGION"]
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket, samples = "acceptance-large-inputs", "sagemaker-sample-data-us-west-2"
s3, api = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})

# One file, which takes no room on the disk where nothing was written; it is not empty at its ends, and where numbers of 31 and 32 bits turn over.
SIZE = 2**32 + 54_321
MARKS = {0: "begin", 2**31 - 3: "two-to-31", 2**32 - 3: "two-to-32", SIZE - 3: "end"}
# One object of the storage under many keys, which share its bytes.
PARTS, PART = 43, 2**28
PART_MARKS = {at * PART + PART // 3: "a third" for at in range(PARTS)}

READER = """
import json, os, re
base = "/opt/ml/input/data/"
def streamed(path):
    "How much came, and what is not empty: [position, text], as it was torn apart."
    file, at, found, empty = os.open(path, os.O_RDONLY), 0, [], bytes(65536)
    while chunk := os.read(file, 65536):
        if not empty.startswith(chunk): found += [[at + part.start(), part.group().decode()] for part in re.finditer(rb"[^\\0]+", chunk)]
        at += len(chunk)
    return [at, found]
def picked(folder):
    files = [folder + name for name in sorted(os.listdir(folder))]
    third = [os.pread(os.open(path, os.O_RDONLY), 7, os.stat(path).st_size // 3).decode() for path in files]
    return [sum(os.stat(path).st_size for path in files), min(os.stat(path).st_nlink for path in files), third]
seen = {}
for name in ("one", "many", "zipped"):
    if os.path.exists(base + name + "_0"): seen[name] = streamed(base + name + "_0")
if os.path.exists(base + "fast"): seen["fast"] = picked(base + "fast/")
json.dump(seen, open("/opt/ml/model/seen.json", "w"))
"""


def place_large_file():
    path = pathlib.Path(os.environ["SALVIA_TEST_SAMPLES"], "large", "large.bin")
    path.parent.mkdir()
    with open(path, "wb") as file:
        file.truncate(SIZE)
        for start, text in MARKS.items():
            file.seek(start)
            file.write(text.encode()[: SIZE - start])
    assert path.stat().st_size == SIZE and path.stat().st_blocks * 512 < 10_000_000
    until(lambda: s3.list_objects_v2(Bucket=samples).get("Contents"), "seen in the sample bucket")


def place_many_objects():
    body = bytearray(PART)
    body[PART // 3 : PART // 3 + 7] = b"a third"
    s3.put_object(Bucket=bucket, Key="parts/00", Body=bytes(body))
    for at in range(1, PARTS):
        s3.copy_object(Bucket=bucket, Key=f"parts/{at:02d}", CopySource={"Bucket": bucket, "Key": "parts/00"})


def memory():
    """Most bytes that each process of the server has ever held: the server, and the agents of its jobs."""
    folder, found = os.environ["SALVIA_TEST_DATA"], {}
    for process in pathlib.Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            sort = next((word for word in words if word in ("serve", "agent")), None)
            if sort is None or not any(word.startswith(folder) for word in words):
                continue
            lines = (process / "status").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            continue
        peak = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
        found[sort] = max(found.get(sort, 0), peak)
    return found


def channel(name, mode, uri, **changes):
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "InputMode": mode, "DataSource": {"S3DataSource": source}, **changes}


def job(name, *channels):
    """What the script saw, and the most bytes of memory by sort of process: {"serve": …, "agent": …}."""
    # What is streamed or read where it lies needs no volume.
    api.create_training_job(**script_request(name, role, bucket, "code/reader.py", channels, VolumeSizeInGB=1))
    peaks = {}

    def ended():
        for sort, peak in memory().items():
            peaks[sort] = max(peaks.get(sort, 0), peak)
        described = api.describe_training_job(TrainingJobName=name)
        return described["TrainingJobStatus"] != "InProgress" and described

    described = until(ended, f"the end of {name}", seconds=240, every=0.1)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    print("   ", {sort: f"{bytes / 1e6:.0f} MB" for sort, bytes in peaks.items()})
    return json.loads(files_of(s3, described["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"]), peaks


def joined(marks):
    """By where they begin: a mark may have come torn in two."""
    whole = {}
    for at, text in marks:
        start = next((start for start, known in whole.items() if start + len(known) == at), at)
        whole[start] = whole.get(start, "") + text
    return whole


def check_memory(peaks):
    """Against those of a job that has read a few bytes."""
    assert set(peaks) == set(before) == {"serve", "agent"}, (peaks, before)
    assert all(peaks[sort] - before[sort] < 250_000_000 for sort in peaks), (peaks, before)


before = {}


@test
def a_job_without_large_inputs_is_the_measure():
    s3.put_object(Bucket=bucket, Key="code/reader.py", Body=READER)
    seen, peaks = job("small")
    assert seen == {}
    before.update(peaks)


@test
def an_object_of_more_than_four_gigabytes_is_streamed_through_the_server():
    place_large_file()
    seen, peaks = job("one", channel("one", "Pipe", f"s3://{samples}/large/"))
    assert seen["one"][0] == SIZE and joined(seen["one"][1]) == MARKS, seen
    check_memory(peaks)


@test
def objects_of_eleven_gigabytes_are_streamed_from_the_disk_and_read_where_they_lie():
    place_many_objects()
    uri = f"s3://{bucket}/parts/"
    seen, peaks = job("many", channel("many", "Pipe", uri), channel("fast", "FastFile", uri))
    assert PARTS * PART > 11 * 10**9
    assert seen["many"][0] == PARTS * PART and joined(seen["many"][1]) == PART_MARKS, seen
    size, links, thirds = seen["fast"]
    assert size == PARTS * PART and links > 1 and thirds == ["a third"] * PARTS, seen
    check_memory(peaks)


@test
def gzip_that_is_larger_than_the_memory_of_its_agent_is_unpacked_on_the_way():
    size = 10 * 2**26
    s3.put_object(Bucket=bucket, Key="zipped/x.gz", Body=gzip.compress(bytes(2**26), 1) * 10 + gzip.compress(b"end"))
    seen, peaks = job("zipped", channel("zipped", "Pipe", f"s3://{bucket}/zipped/", CompressionType="Gzip"))
    assert seen["zipped"] == [size + 3, [[size, "end"]]], seen
    check_memory(peaks)


run()
