"""What a person does with the aws CLI, for both of its versions: files, a training job, an endpoint, logs and identity."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import digits
from records import dense_tensor

bucket = "acceptance-cli"
image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"
work = tempfile.mkdtemp(prefix="salvia-cli-")
program = os.environ.get("SALVIA_TEST_AWS_CLI") or os.path.join(os.path.dirname(sys.executable), "aws")
job = "cli-" + time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())


def aws(*arguments, fails=False):
    """Standard output of a call; its JSON where it is one. `fails`: the error's text of a call that must not succeed."""
    extra = os.environ.get("SALVIA_TEST_AWS_FLAGS", "").split()
    done = subprocess.run([program, *arguments, *extra], capture_output=True, text=True, cwd=work, timeout=120)
    if fails:
        assert done.returncode != 0, done.stdout
        return done.stderr
    assert done.returncode == 0, done.stderr
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        return done.stdout


def path(name):
    return os.path.join(work, name)


def it_says_who_calls():
    assert ":assumed-role/SalviaExecutionRole/" in aws("sts", "get-caller-identity")["Arn"]


def a_folder_is_synced_there_and_back():
    aws("s3", "mb", f"s3://{bucket}")
    assert bucket in aws("s3", "ls")
    for name in ["a.txt", "sub/b.txt", "sub/ü é.txt", "sub/plus+and&more.txt"]:
        os.makedirs(os.path.dirname(path(f"tree/{name}")), exist_ok=True)
        with open(path(f"tree/{name}"), "w") as file:
            file.write(name)
    aws("s3", "sync", "tree", f"s3://{bucket}/tree")
    listed = aws("s3", "ls", "--recursive", f"s3://{bucket}/tree/")
    assert len(listed.strip().splitlines()) == 4, listed
    # Nothing has changed, so nothing is sent.
    assert aws("s3", "sync", "tree", f"s3://{bucket}/tree") == ""
    aws("s3", "sync", f"s3://{bucket}/tree", "back")
    assert subprocess.run(["diff", "-r", path("tree"), path("back")]).returncode == 0


def a_large_file_goes_up_in_parts_and_is_copied():
    with open(path("large.bin"), "wb") as file:
        file.write(os.urandom(20 * 1024 * 1024))
    aws("s3", "cp", "large.bin", f"s3://{bucket}/large.bin")
    head = aws("s3api", "head-object", "--bucket", bucket, "--key", "large.bin")
    assert head["ContentLength"] == 20 * 1024 * 1024 and head["ETag"].endswith('-3"'), head
    aws("s3", "cp", f"s3://{bucket}/large.bin", f"s3://{bucket}/copy.bin")
    aws("s3", "cp", f"s3://{bucket}/copy.bin", "copy.bin")
    assert subprocess.run(["cmp", path("large.bin"), path("copy.bin")]).returncode == 0


def a_stream_is_piped_in_and_out():
    extra = os.environ.get("SALVIA_TEST_AWS_FLAGS", "").split()
    up = [program, "s3", "cp", "-", f"s3://{bucket}/piped", *extra]
    assert subprocess.run(up, input=b"through a pipe", cwd=work).returncode == 0
    assert aws("s3", "cp", f"s3://{bucket}/piped", "-") == "through a pipe"


def a_presigned_address_is_fetched():
    address = aws("s3", "presign", f"s3://{bucket}/piped", "--expires-in", "60").strip()
    import urllib.request

    assert urllib.request.urlopen(address).read() == b"through a pipe"


def a_training_job_runs_and_is_waited_for():
    train_x, train_y, _, _ = digits()
    with open(path("digits.pbr"), "wb") as file:
        file.write(dense_tensor(train_x[:2000], train_y[:2000]))
    aws("s3", "cp", "digits.pbr", f"s3://{bucket}/digits/train.pbr")
    account = aws("sts", "get-caller-identity")["Account"]
    request = {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": f"arn:aws:iam::{account}:role/SalviaExecutionRole",
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "TrainingJobName": job,
        "HyperParameters": {"k": "10", "feature_dim": "784"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/digits"}},
            }
        ],
    }
    aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request))
    for _ in range(240):
        described = aws("sagemaker", "describe-training-job", "--training-job-name", job)
        if described["TrainingJobStatus"] != "InProgress":
            break
        time.sleep(0.5)
    assert described["TrainingJobStatus"] == "Completed", described
    # The waiter looks once and is content.
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", job)
    listed = aws("sagemaker", "list-training-jobs", "--query", "TrainingJobSummaries[].TrainingJobName")
    assert listed == [job], listed


def its_log_is_read():
    events = aws("logs", "filter-log-events", "--log-group-name", "/aws/sagemaker/TrainingJobs", "--log-stream-name-prefix", job)
    assert any("records" in event["message"] for event in events["events"]), events


def errors_are_told_in_the_services_words():
    assert "Requested resource not found" in aws(
        "sagemaker", "describe-training-job", "--training-job-name", "not-there", fails=True
    )
    assert "(NoSuchBucket)" in aws("s3api", "list-objects-v2", "--bucket", "not-there-at-all", fails=True)


def all_is_removed():
    aws("s3", "rb", "--force", f"s3://{bucket}")
    assert bucket not in aws("s3", "ls")
    shutil.rmtree(work)


everything = [
    it_says_who_calls,
    a_folder_is_synced_there_and_back,
    a_large_file_goes_up_in_parts_and_is_copied,
    a_stream_is_piped_in_and_out,
    a_presigned_address_is_fetched,
    a_training_job_runs_and_is_waited_for,
    its_log_is_read,
    errors_are_told_in_the_services_words,
    all_is_removed,
]
