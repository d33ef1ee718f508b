"""The user's code: fetched, unpacked into /opt/ml/code, and what it requires installed."""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

from salvia.environment import base
from salvia.errors import UserError
from salvia.s3 import fetch


def _is_inside(folder, path):
    return os.path.commonpath([folder, os.path.realpath(path)]) == folder


def unpack(archive, folder):
    """Unpacks a tar.gz. Raises UserError for entries that would leave the folder, and for what is no tar.gz."""
    real = os.path.realpath(folder)
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                target = os.path.join(real, member.name)
                linked = os.path.join(os.path.dirname(target), member.linkname) if member.issym() else target
                if member.islnk():
                    linked = os.path.join(real, member.linkname)
                if not (_is_inside(real, target) and _is_inside(real, linked)):
                    raise UserError(f"ClientError: the code archive has an entry outside of its folder: {member.name}")
                if member.isfile() or member.isdir() or member.issym() or member.islnk():
                    tar.extract(member, real, set_attrs=member.isfile())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"ClientError: the code archive cannot be unpacked: {error}") from error


def bring(source, folder):
    """Brings the code of `source` (s3://…/sourcedir.tar.gz, an archive's path, or a folder) into `folder`, unless code is there already."""
    os.makedirs(folder, exist_ok=True)
    if os.listdir(folder):
        return
    brought = base("input", "code", os.path.basename(source))
    if source.startswith("s3://") and os.path.exists(brought):
        # By the agent, for a job without a network.
        place(brought, os.path.basename(source), folder)
    elif source.startswith("s3://"):
        with tempfile.TemporaryDirectory() as temporary:
            archive = os.path.join(temporary, "code")
            fetch(source, archive)
            place(archive, os.path.basename(source), folder)
    elif os.path.isdir(source):
        shutil.copytree(source, folder, dirs_exist_ok=True, symlinks=True)
    elif os.path.exists(source):
        place(source, os.path.basename(source), folder)
    else:
        raise UserError(f"ClientError: the submit directory {source} does not exist")


def place(file, name, folder):
    """An archive is unpacked; a single script is copied under its name."""
    if name.endswith((".tar.gz", ".tgz", ".tar")):
        unpack(file, folder)
    else:
        shutil.copy(file, os.path.join(folder, name))


def install_requirements(folder):
    """`pip install -r requirements.txt`, where there is one; pip puts it beside the task's temporary files (PIP_TARGET)."""
    if os.path.exists(os.path.join(folder, "requirements.txt")):
        _pip(["-r", "requirements.txt"], folder)


def install_package(folder):
    """Installs the folder itself, which has a setup.py."""
    _pip([".", "--no-build-isolation"], folder)


def _pip(arguments, folder):
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--root-user-action", "ignore", *arguments]
    print("Installing dependencies: " + " ".join(["pip", "install", *arguments]), flush=True)
    ended = subprocess.run(command, cwd=folder, check=False)
    if ended.returncode != 0:
        raise UserError(f"InstallRequirementsError: pip install {' '.join(arguments)} ended with {ended.returncode}{_why()}")


def _why():
    if "SALVIA_NETWORK_ISOLATION" not in os.environ:
        return ""
    return (
        ": this job runs with network isolation (EnableNetworkIsolation), where pip reaches no package index; "
        "bring the packages as files beside the script and name them in requirements.txt"
    )
