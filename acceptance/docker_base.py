"""Builds inside of containers need what this machine needs to reach its package indexes: certificates, proxies, pip's settings."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from harness import Skipped

# Without python.org's image: there is no registry to pull it from.
debian = "salvia-test/python:3"
base = "salvia-test/python-with-certificates:3"


def docker(*words, seconds=120, **options):
    return subprocess.run(["docker", *map(str, words)], capture_output=True, text=True, timeout=seconds, **options)


def docker_output(*words):
    """What a command that has to succeed prints. RuntimeError where it fails."""
    done = docker(*words)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr[-2000:]}")
    return done.stdout


def of_pip(name):
    """A setting of this machine's pip, from its variables or its files; empty where it has none."""
    if variable := os.environ.get("PIP_" + name.upper().replace("-", "_")):
        return variable
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, timeout=60)
    found = re.search(rf"^\S+\.{name}='(.*)'$", said.stdout, re.MULTILINE)
    return found.group(1) if found else ""


def make_base():
    """The image that builds begin with. Raises Skipped where there is none to begin with."""
    if docker("image", "inspect", debian).returncode != 0:
        raise Skipped(f"the base image {debian} is missing: tools/docker/base-image makes it")
    with tempfile.TemporaryDirectory(prefix="salvia-base-") as folder:
        context = pathlib.Path(folder)
        certificates = of_pip("cert") or "/etc/ssl/certs/ca-certificates.crt"
        shutil.copy(certificates, context / "certificates.pem")
        settings = {name: of_pip(name) for name in ("index-url", "extra-index-url", "trusted-host")}
        lines = [f"{name} = {value}" for name, value in settings.items() if value]
        (context / "pip.conf").write_text("\n".join(["[global]", "cert = /etc/ssl/certs/ca-certificates.crt", *lines, ""]))
        # The same bytes and times give the same layers, and so does what is built on them: nothing is made twice.
        for file in context.iterdir():
            file.chmod(0o644)
            os.utime(file, (0, 0))
        (context / "Dockerfile").write_text(
            f"FROM {debian}\nCOPY certificates.pem /etc/ssl/certs/ca-certificates.crt\nCOPY pip.conf /etc/pip.conf\n"
        )
        built = docker("build", "--quiet", "--tag", base, context)
        assert built.returncode == 0, built.stderr[-3000:]


def build_flags():
    """Of `docker build`: the host's network, the base, the proxies."""
    flags = ["--network", "host", "--build-arg", f"BASE={base}"]
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        if os.environ.get(name):
            flags += ["--build-arg", f"{name}={os.environ[name]}"]
    return flags
