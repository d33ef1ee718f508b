"""A real Docker Engine against the registry: a project's own build_and_push.sh, pulls, lists, and what must be refused."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import urllib.request

import boto3
from botocore.exceptions import ClientError

from harness import run, test

here = pathlib.Path(__file__).parent
home = pathlib.Path(os.environ["HOME"])
data = home.parent / "data"
salvia = [os.environ["SALVIA_TEST_NODE"], str(here.parent.parent / "bin" / "salvia.js")]
base = f"salvia-registry-test-{os.getpid()}:1"
path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
surroundings = {**os.environ, "PATH": path, "DOCKER_CONFIG": str(home / "docker")}
ecr = boto3.client("ecr")
made = [base]


def ended(*words, expected=0, **options):
    """Runs the command; returns what it wrote. `expected` None: anything but success."""
    result = subprocess.run([*map(str, words)], env=surroundings, capture_output=True, text=True, timeout=300, **options)
    is_right = result.returncode == expected if expected is not None else result.returncode != 0
    assert is_right, f"{words}: {result.returncode}: {result.stdout[-3000:]}{result.stderr[-3000:]}"
    return result.stdout + result.stderr


def docker(*words, **options):
    return ended("docker", *words, **options)


def under_exec(*words, **options):
    return ended(*salvia, "exec", "--data", data, "--", *words, **options)


def login():
    [answer] = ecr.get_authorization_token()["authorizationData"]
    user, password = base64.b64decode(answer["authorizationToken"]).decode().split(":", 1)
    assert user == "AWS" and re.fullmatch(r"http://localhost:\d+", answer["proxyEndpoint"]), answer
    docker("login", "--username", user, "--password-stdin", answer["proxyEndpoint"], input=password)


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


@test
def a_base_image_is_made_of_this_machines_shell():
    """No image can be fetched from elsewhere: a shell and its libraries are enough to run something."""
    archive = home / "base.tar"
    libraries = ended("ldd", "/bin/sh", "/bin/cat")
    with tarfile.open(archive, "w") as tar:
        for file in {"/bin/sh", "/bin/cat", *re.findall(r"(/lib\S+)", libraries)} - {"/bin/sh:", "/bin/cat:"}:
            tar.add(os.path.realpath(file), arcname=file.lstrip("/"))
    docker("import", archive, base)


@test
def a_projects_own_script_builds_and_pushes_unmodified():
    folder = home / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY one /one\nCOPY big /big\nCOPY hello /hello\n")
    (folder / "one").write_text("1")
    (folder / "big").write_bytes(os.urandom(30_000_000))
    (folder / "hello").write_text("hello from the registry")
    for _ in range(2):  # The second time the repository and every layer are there.
        said = under_exec("sh", here / "build_and_push.sh", "projects/mine", folder)
        assert "pushed 000000000000.dkr.ecr.us-west-2.amazonaws.com/projects/mine:latest" in said, said
    made.append("projects/mine")
    [repository] = ecr.describe_repositories(repositoryNames=["projects/mine"])["repositories"]
    assert repository["repositoryUri"].endswith("/projects/mine"), repository
    [image] = ecr.describe_images(repositoryName="projects/mine")["imageDetails"]
    assert image["imageTags"] == ["latest"] and image["imageSizeInBytes"] > 30_000_000, image
    assert ecr.list_images(repositoryName="projects/mine")["imageIds"] == [
        {"imageDigest": image["imageDigest"], "imageTag": "latest"}
    ]


@test
def what_was_pushed_is_pulled_and_runs():
    name = "000000000000.dkr.ecr.us-west-2.amazonaws.com/projects/mine:latest"
    under_exec("docker", "rmi", "--force", "projects/mine", name)
    assert "Downloaded newer image" in under_exec("docker", "pull", name)
    assert "hello from the registry" in under_exec("docker", "run", "--rm", "--network", "none", name, "cat", "/hello")
    assert "projects/mine" in under_exec("docker", "images", name.split(":")[0])
    assert '"RepoDigests"' in under_exec("docker", "inspect", name)
    under_exec("docker", "rmi", "--force", name)


@test
def a_project_builds_on_an_image_that_the_registry_has():
    folder = home / "derived"
    folder.mkdir()
    name = "000000000000.dkr.ecr.us-west-2.amazonaws.com/projects/mine:latest"
    (folder / "Dockerfile").write_text(f"FROM {name}\nCOPY more /more\n")
    (folder / "more").write_text("and more")
    under_exec("docker", "build", "--tag", "derived", folder)
    made.append("derived")
    said = docker("run", "--rm", "--network", "none", "derived", "cat", "/hello", "/more")
    assert "hello from the registryand more" in said, said
    docker("rmi", "--force", "derived")
    under_exec("docker", "rmi", "--force", name)


@test
def docker_pulls_by_repositoryUri_without_exec_and_mounts_between_repositories():
    [repository] = ecr.describe_repositories(repositoryNames=["projects/mine"])["repositories"]
    uri = repository["repositoryUri"]
    login()
    docker("pull", f"{uri}:latest")
    other = ecr.create_repository(repositoryName="other", tags=[{"Key": "team", "Value": "blue"}])["repository"]
    docker("tag", f"{uri}:latest", f"{other['repositoryUri']}:copy")
    assert "Mounted from" in docker("push", f"{other['repositoryUri']}:copy")
    assert ecr.list_tags_for_resource(resourceArn=other["repositoryArn"])["tags"] == [{"Key": "team", "Value": "blue"}]
    docker("rmi", "--force", f"{uri}:latest", f"{other['repositoryUri']}:copy")


def upload(name, content):
    """A layer by the API, in parts."""
    begun = ecr.initiate_layer_upload(repositoryName=name)
    for first in range(0, len(content), begun["partSize"]):
        part = content[first : first + begun["partSize"]]
        last = first + len(part) - 1
        answer = ecr.upload_layer_part(
            repositoryName=name, uploadId=begun["uploadId"], partFirstByte=first, partLastByte=last, layerPartBlob=part
        )
        assert answer["lastByteReceived"] == last, answer
    digest = digest_of(content)
    done = ecr.complete_layer_upload(repositoryName=name, uploadId=begun["uploadId"], layerDigests=[digest])
    assert done["layerDigest"] == digest
    return {"digest": digest, "size": len(content)}


@test
def an_image_made_by_the_api_alone_is_pulled_through_a_list():
    name = "made-by-api"
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    layer = home / "layer.tar"
    (home / "note").write_bytes(os.urandom(7_000_000))
    with tarfile.open(layer, "w") as tar:
        tar.add(home / "note", arcname="note")
    content = layer.read_bytes()
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest_of(content)]}}
    ).encode()
    docker_types = "application/vnd.docker.distribution.manifest"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{docker_types}.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **upload(name, config)},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", **upload(name, content)}],
        }
    )
    image = ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag="amd64")["image"]
    platform = {"architecture": "amd64", "os": "linux"}
    entry = {"mediaType": f"{docker_types}.v2+json", "digest": image["imageId"]["imageDigest"], "size": len(manifest)}
    listed = {"schemaVersion": 2, "mediaType": f"{docker_types}.list.v2+json", "manifests": [{**entry, "platform": platform}]}
    ecr.put_image(repositoryName=name, imageManifest=json.dumps(listed), imageTag="latest")
    login()
    docker("pull", f"{uri}:latest")
    docker("rmi", "--force", f"{uri}:latest")
    got = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "amd64"}, {"imageTag": "absent"}])
    assert got["images"][0]["imageManifest"] == manifest and got["failures"][0]["failureCode"] == "ImageNotFound", got
    asked = ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[digest_of(content), digest_of(b"none")])
    assert [each["layerAvailability"] for each in asked["layers"]] == ["AVAILABLE", "UNAVAILABLE"], asked
    url = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=digest_of(content))["downloadUrl"]
    assert urllib.request.urlopen(url).read() == content
    refused = ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "amd64"}])["failures"]
    assert refused[0]["failureCode"] == "ImageReferencedByManifestList", refused
    both = [{"imageTag": "latest"}, {"imageTag": "amd64"}]
    assert len(ecr.batch_delete_image(repositoryName=name, imageIds=both)["imageIds"]) == 2
    ecr.delete_repository(repositoryName=name)


@test
def docker_makes_and_pushes_a_list_of_two_architectures_and_pulls_its_own():
    name = "of-two"
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    login()
    for architecture in ("amd64", "arm64"):
        context = home / architecture
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM {base}\nLABEL of={architecture}\n")
        docker("build", "--quiet", "--tag", f"{uri}:{architecture}", context)
        docker("push", f"{uri}:{architecture}")
        docker("manifest", "create", "--insecure", "--amend", f"{uri}:all", f"{uri}:{architecture}")
        docker("manifest", "annotate", "--os", "linux", "--arch", architecture, f"{uri}:all", f"{uri}:{architecture}")
    pushed = docker("manifest", "push", "--insecure", "--purge", f"{uri}:all")
    digest = re.search(r"sha256:[0-9a-f]{64}", pushed).group(0)
    [image] = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "all"}])["imageDetails"]
    assert image["imageDigest"] == digest and image["imageManifestMediaType"].endswith("manifest.list.v2+json"), image
    listed = json.loads(docker("manifest", "inspect", "--insecure", f"{uri}:all"))
    assert [each["platform"]["architecture"] for each in listed["manifests"]] == ["amd64", "arm64"], listed
    # "docker info" says x86_64 and aarch64.
    own = {"x86_64": "amd64", "aarch64": "arm64"}[docker("info", "--format", "{{.Architecture}}").strip()]
    docker("rmi", "--force", f"{uri}:amd64", f"{uri}:arm64")
    docker("pull", f"{uri}:all")
    assert docker("inspect", "--format", '{{index .Config.Labels "of"}}', f"{uri}:all").strip() == own
    docker("rmi", "--force", f"{uri}:all")
    ecr.delete_repository(repositoryName=name, force=True)


@test
def an_immutable_tag_is_not_pushed_over():
    uri = ecr.create_repository(repositoryName="fixed")["repository"]["repositoryUri"]
    ecr.put_image_tag_mutability(repositoryName="fixed", imageTagMutability="IMMUTABLE")
    login()
    docker("tag", base, f"{uri}:v1")
    docker("push", f"{uri}:v1")
    (home / "Dockerfile").write_text(f"FROM {base}\nENV CHANGED=1\n")
    docker("build", "--tag", f"{uri}:v1", "--file", home / "Dockerfile", home / "project")
    assert "cannot be overwritten because the tag is immutable" in docker("push", f"{uri}:v1", expected=None)
    docker("rmi", "--force", f"{uri}:v1")


@test
def policies_decide_who_pulls():
    iam = boto3.client("iam")
    iam.create_user(UserName="puller")
    key = iam.create_access_key(UserName="puller")["AccessKey"]
    token_only = [{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]
    iam.put_user_policy(UserName="puller", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": token_only}))
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    theirs = boto3.Session(**keys, region_name="us-west-2").client("ecr")
    [answer] = theirs.get_authorization_token()["authorizationData"]
    password = base64.b64decode(answer["authorizationToken"]).decode().split(":", 1)[1]
    docker("login", "--username", "AWS", "--password-stdin", answer["proxyEndpoint"], input=password)
    uri = ecr.describe_repositories(repositoryNames=["fixed"])["repositories"][0]["repositoryUri"]
    said = docker("pull", f"{uri}:v1", expected=None)
    assert "not authorized to perform: ecr:BatchGetImage" in said or "denied" in said, said
    account = boto3.client("sts").get_caller_identity()["Account"]
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
    principal = {"AWS": f"arn:aws:iam::{account}:user/puller"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": pull}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ecr.set_repository_policy(repositoryName="fixed", policyText=text)
    assert ecr.get_repository_policy(repositoryName="fixed")["policyText"] == text
    docker("pull", f"{uri}:v1")
    ecr.delete_repository_policy(repositoryName="fixed")
    docker("rmi", "--force", f"{uri}:v1")
    docker("pull", f"{uri}:v1", expected=None)


@test
def a_lifecycle_policy_says_what_it_would_expire():
    login()
    for tag in ("old", "new"):
        uri = ecr.describe_repositories(repositoryNames=["fixed"])["repositories"][0]["repositoryUri"]
        (home / "Dockerfile").write_text(f"FROM {base}\nENV TAG={tag}\n")
        docker("build", "--tag", f"{uri}:{tag}", "--file", home / "Dockerfile", home / "project")
        docker("push", f"{uri}:{tag}")
        docker("rmi", "--force", f"{uri}:{tag}")
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
    rule = {"rulePriority": 1, "description": "the newest", "selection": selection, "action": {"type": "expire"}}
    text = json.dumps({"rules": [rule]})
    ecr.put_lifecycle_policy(repositoryName="fixed", lifecyclePolicyText=text)
    assert ecr.get_lifecycle_policy(repositoryName="fixed")["lifecyclePolicyText"] == text
    ecr.start_lifecycle_policy_preview(repositoryName="fixed")
    ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName="fixed")
    preview = ecr.get_lifecycle_policy_preview(repositoryName="fixed")
    assert sorted(each["imageTags"][0] for each in preview["previewResults"]) == ["old", "v1"], preview
    ecr.delete_lifecycle_policy(repositoryName="fixed")


@test
def a_repository_with_images_goes_by_force_alone():
    try:
        ecr.delete_repository(repositoryName="fixed")
        raise AssertionError("a repository with images went without force")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "RepositoryNotEmptyException", error
    ecr.delete_repository(repositoryName="fixed", force=True)
    names = [each["repositoryName"] for page in ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1}) for each in page["repositories"]]
    assert names == ["other", "projects/mine"], names


if __name__ == "__main__":
    try:
        run()
    finally:
        subprocess.run(["docker", "rmi", "--force", *made], env=surroundings, capture_output=True)
