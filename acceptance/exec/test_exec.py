"""Programs made for AWS, under `salvia exec`, unpatched: SageMaker SDK 2, boto3, requests, the aws CLI 1 and 2, pip, curl, docker's names."""
import gzip
import json
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import time

from harness import Skipped, digits, run, test

here = pathlib.Path(__file__).parent
home = pathlib.Path(os.environ["HOME"])
data = home.parent / "data"
salvia = [os.environ["SALVIA_TEST_NODE"], str(here.parent.parent / "bin" / "salvia.js")]
surroundings = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
# What a person may have on the machine, and what must not matter.
surroundings.update(AWS_PROFILE="work", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", AWS_ACCESS_KEY_ID="AKIAOTHER")


def command(*words, flags=()):
    return [*salvia, "exec", "--data", str(data), *flags, "--", *map(str, words)]


def ended(*words, flags=(), expected=0, **options):
    """Runs the command under exec; returns what it wrote."""
    result = subprocess.run(command(*words, flags=flags), env=surroundings, capture_output=True, text=True, timeout=300, **options)
    assert result.returncode == expected, f"{result.returncode}: {result.stdout[-3000:]}{result.stderr[-3000:]}"
    return result.stdout


@test
def a_sagemaker_script_runs_beside_an_installation_from_the_package_index():
    venv = home / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    words = command(venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "awscli==1.46.3")
    installing = subprocess.Popen(words, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "done arn:aws:iam::" in ended(sys.executable, here / "notebook_script.py")
    said = installing.communicate(timeout=300)[0]
    assert installing.returncode == 0, said[-3000:]


@test
def a_sagemaker_script_runs_through_the_proxy_alone():
    assert "done arn:aws:iam::" in ended(sys.executable, here / "notebook_script.py", flags=["--no-endpoint-url"])


@test
def a_script_of_the_classic_kind_reads_a_sample_bucket_trains_and_hosts():
    train, train_labels, held_out, held_out_labels = digits()
    # As the file that the first notebooks read: (train, validation, test), each rows and labels.
    parts = ((train, train_labels), (held_out, held_out_labels), (held_out, held_out_labels))
    target = pathlib.Path(os.environ["SALVIA_TEST_SAMPLES"]) / "algorithms" / "kmeans" / "mnist" / "mnist.pkl.gz"
    target.parent.mkdir(parents=True)
    with gzip.open(target, "wb") as packed:
        pickle.dump(parts, packed)
    # The server looks into the folder every five seconds.
    time.sleep(6)
    said = ended(sys.executable, here / "classic_kmeans.py", flags=["--no-endpoint-url"])
    assert float(said.split("purity")[-1]) >= 0.5, said


def walk_through_s3(aws, bucket):
    big = home / "big.bin"
    big.write_bytes(os.urandom(20_000_000))
    identity = json.loads(ended(aws, "sts", "get-caller-identity", "--output", "json", flags=["--no-endpoint-url"]))
    assert identity["Arn"].endswith(":assumed-role/SalviaExecutionRole/salvia-exec"), identity
    script = f'{aws} s3 mb s3://{bucket} && {aws} s3 cp {big} s3://{bucket}/big && {aws} s3 cp s3://{bucket}/big {home}/back'
    ended("sh", "-c", script, flags=["--no-endpoint-url"])
    assert (home / "back").read_bytes() == big.read_bytes()


@test
def the_aws_cli_1_that_pip_installed_walks_through_s3():
    walk_through_s3(home / "venv" / "bin" / "aws", "exec-cli1")


@test
def the_aws_cli_2_walks_through_s3():
    if "SALVIA_TEST_AWS_CLI" not in os.environ:
        raise Skipped("there is no aws CLI of version 2 on this machine")
    walk_through_s3(os.environ["SALVIA_TEST_AWS_CLI"], "exec-cli2")


@test
def curl_and_node_trust_the_local_authority():
    if shutil.which("curl"):
        assert "ok" in ended("curl", "-sS", "https://api.sagemaker.us-west-2.amazonaws.com/health")
    fetching = "fetch('https://sts.us-west-2.amazonaws.com/health').then((a) => a.text()).then(console.log)"
    assert "ok" in ended(salvia[0], "-e", fetching)


@test
def renewable_credentials_come_from_the_proxy():
    script = "import boto3; print(boto3.Session().get_credentials().method, boto3.client('sts').get_caller_identity()['Arn'])"
    said = ended(sys.executable, "-c", script, flags=["--refresh"])
    assert said.startswith("container-role arn:") and "SalviaExecutionRole" in said, said


@test
def docker_hears_the_names_of_the_local_registry():
    folder = home / "fake-docker"
    folder.mkdir()
    (folder / "docker").write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    (folder / "docker").chmod(0o755)
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/mine:1"
    path = surroundings["PATH"]
    surroundings["PATH"] = f"{folder}:{path}"
    try:
        said = ended("docker", "push", image, expected=3)
    finally:
        surroundings["PATH"] = path
    port = json.loads((data / "server.json").read_text())["url"].split(":")[-1]
    assert said.strip() == f"push localhost:{port}/{image}", said


@test
def exit_codes_and_signals_pass_through():
    ended("sh", "-c", "exit 42", expected=42)
    ended("no-such-program-here", expected=127)
    ended("sh", "-c", "kill -9 $$", expected=137)
    waiting = "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
    child = subprocess.Popen(command("sh", "-c", waiting), env=surroundings, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=30)[0] == "caught\n" and child.returncode == 5


@test
def without_a_server_it_says_what_to_do_and_can_start_one():
    other = home / "other"
    words = [*salvia, "exec", "--data", str(other), "--port", "0", "--log-level", "warn"]
    refused = subprocess.run([*words, "--", "true"], env=surroundings, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "salvia serve" in refused.stderr, refused
    script = "import boto3; print(boto3.client('s3').list_buckets()['Buckets'])"
    served = subprocess.run([*words, "--serve", "--", sys.executable, "-c", script], env=surroundings, capture_output=True, text=True, timeout=60)
    assert served.returncode == 0 and served.stdout.strip() == "[]", served
    assert (other / "authority.pem").stat().st_mode & 0o777 == 0o600


run()
