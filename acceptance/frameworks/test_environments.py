"""How the Python environment of a framework image is made, asked of servers of one's own: by uv or pip, once, from a local index; which release
it has where the nearest does not install; and what SALVIA_FRAMEWORK_STRICT refuses."""
import io
import pathlib
import re
import subprocess
import tarfile
import tempfile

from harness import Skipped, end_of, run, test
from local_server import NEVER, Index, root, salvia, seeing, system_program

ours = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn"
SCRIPT = "import sklearn, pandas\nprint('sklearn', sklearn.__version__, 'pandas', pandas.__version__)\n"
#: Of the table (docs/frameworks.md): what the two releases have.
NEW = {"scikit-learn": "1.7.2", "scipy": "1.15.3", "numpy": "2.2.6", "pandas": "2.3.3"}
OLD = {"scikit-learn": "1.4.2", "scipy": "1.13.1", "numpy": "1.26.4", "pandas": "2.2.3"}
MODULES = {"scikit-learn": "sklearn"}


def filled(*releases, without=()):
    """An index with these releases; of what is in `without` ("name==version") it has a wheel for another Python alone."""
    index = Index()
    for seed in ("pip", "setuptools", "wheel"):
        index.put(seed, "1.0")
    for name, version in [("gunicorn", "23.0.0"), *(pair for release in releases for pair in release.items())]:
        index.put(name, version, MODULES.get(name), *([NEVER] if f"{name}=={version}" in without else []))
    return index


def need_python(*versions):
    """Skips where the system's Python is none that both releases install on: then there is nothing to choose."""
    python = system_program("python3")
    said = subprocess.run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=True)
    if said.stdout.strip() not in versions:
        raise Skipped(f"the system's Python is {said.stdout.strip()}, and the table has one release for it")


def trained(server, name, tag, files=None, **changes):
    """(the job's description once it has ended, its log lines)"""
    s3, api, logs = (server.client(service) for service in ("s3", "sagemaker", "logs"))
    account = server.client("sts").get_caller_identity()["Account"]
    try:
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in (files or {"train.py": SCRIPT}).items():
            entry = tarfile.TarInfo(path)
            body = text if isinstance(text, bytes) else text.encode()
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    s3.put_object(Bucket="code", Key=f"{name}/sourcedir.tar.gz", Body=packed.getvalue())
    api.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": f"{ours}:{tag}", "TrainingInputMode": "File"},
        RoleArn=f"arn:aws:iam::{account}:role/SalviaExecutionRole",
        OutputDataConfig={"S3OutputPath": "s3://code/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        HyperParameters={"sagemaker_program": '"train.py"', "sagemaker_submit_directory": f'"s3://code/{name}/sourcedir.tar.gz"'},
        **changes,
    )
    job = end_of(api.describe_training_job, TrainingJobName=name)
    try:
        events = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")
    except logs.exceptions.ResourceNotFoundException:
        return job, []
    return job, [event["message"] for event in events["events"]]


def environment_of(server):
    """The one environment that this server has made: (pyvenv.cfg, the compiled files of scikit-learn)."""
    (venv,) = [path for path in (server.data / "environments").glob("*/venv")]
    compiled = list(venv.glob("lib/python3*/site-packages/sklearn/__pycache__/*.pyc"))
    return (venv / "pyvenv.cfg").read_text(), compiled


def made_once(begin, uses_uv):
    index = filled(NEW, OLD)
    # What the operator has set for Python itself is not for the environment.
    with salvia(index, begin=begin, PYTHONDONTWRITEBYTECODE="1") as server:
        first, lines = trained(server, "first", "1.7-1")
        assert first["TrainingJobStatus"] == "Completed", (first.get("FailureReason"), lines)
        assert re.match(r"Framework asked for: scikit-learn 1.7-1; used: scikit-learn 1\.\d\.2 on Python 3\.\d+$", lines[0]), lines
        assert any(line.startswith("Making the Python environment") for line in lines), lines
        assert any(line.startswith("Resolved " if uses_uv else "Collecting ") for line in lines), lines
        config, compiled = environment_of(server)
        assert bool(re.search("^uv = ", config, re.M)) == uses_uv, config
        assert len(compiled) == 1, compiled
        asked, ready = list(index.asked), next((server.data / "environments").glob("*/ready")).stat().st_mtime_ns
        second, again = trained(server, "second", "1.7-1")
        assert second["TrainingJobStatus"] == "Completed", (second.get("FailureReason"), again)
        assert again[0] == lines[0] and not any("environment scikit" in line for line in again), again
        assert index.asked == asked and next((server.data / "environments").glob("*/ready")).stat().st_mtime_ns == ready


@test
def without_uv_it_is_made_by_venv_and_pip_once_and_compiled():
    begin = seeing(None, None)
    if begin is None:
        raise Skipped("this machine has uv in a system folder, and only root can hide it")
    made_once(begin, uses_uv=False)


@test
def with_uv_it_is_made_by_uv_once_and_compiled():
    uv = system_program("uv") or str(root / ".cache" / "acceptance" / "uv" / "bin" / "uv")
    if not pathlib.Path(uv).exists():
        raise Skipped("there is no uv, and the index of packages could not be reached to install it for the tests")
    with tempfile.TemporaryDirectory() as folder:
        begin = seeing(uv, pathlib.Path(folder))
        if begin is None:
            raise Skipped("only root can show the server a uv in a system folder")
        made_once(begin, uses_uv=True)


@test
def what_does_not_install_gives_way_to_the_next_nearest_and_is_not_tried_again():
    need_python("3.10", "3.11", "3.12")
    index = filled(NEW, OLD, without=["scipy==1.15.3"])
    with salvia(index) as server:
        job, lines = trained(server, "first", "1.7-1-cpu-py3")
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
        assert lines[0].startswith("Framework asked for: scikit-learn 1.7-1-cpu-py3; used: scikit-learn 1.4.2 on Python 3."), lines
        refusal = [line for line in lines if "cannot be installed here" in line]
        assert len(refusal) == 1 and "scikit-learn 1.7.2 on Python 3." in refusal[0] and "scipy==1.15.3" in refusal[0], lines
        assert "sklearn 1.4.2 pandas 2.2.3" in lines, lines
        asked = len(index.asked)
        _, again = trained(server, "second", "1.7-1-cpu-py3")
        assert again[:2] == [lines[0], refusal[0]] and "sklearn 1.4.2 pandas 2.2.3" in again, again
        assert len(index.asked) == asked, index.asked[asked:]


@test
def an_index_that_is_away_is_no_reason_for_another_release():
    need_python("3.10", "3.11", "3.12")
    index = filled(NEW, OLD)
    index.broken.add("scikit-learn")
    with salvia(index) as server:
        job, lines = trained(server, "away", "1.7-1")
        assert job["TrainingJobStatus"] == "Failed", lines
        assert f"{index.url}/scikit-learn/ could not be asked" in job["FailureReason"], job["FailureReason"]
        assert not any("1.4.2" in line for line in lines), lines
        index.broken.clear()
        job, lines = trained(server, "back", "1.7-1")
        assert "sklearn 1.7.2 pandas 2.3.3" in lines, (job.get("FailureReason"), lines)


def strictly(*flags, **variables):
    need_python("3.10", "3.11", "3.12")
    with salvia(filled(NEW, OLD, without=["scipy==1.15.3"]), *flags, **variables) as server:
        job, lines = trained(server, "none", "1.5-1-cpu-py3")
        assert job["TrainingJobStatus"] == "Failed", lines
        expected = "ClientError: There is no release for scikit-learn 1.5-1-cpu-py3, and SALVIA_FRAMEWORK_STRICT allows no other"
        assert job["FailureReason"] == expected, job["FailureReason"]
        job, lines = trained(server, "unfit", "1.7-1")
        reason = job.get("FailureReason", "")
        assert reason.startswith("ClientError: scikit-learn 1.7-1 cannot be installed on this machine: "), (reason, lines)
        assert "scipy==1.15.3" in reason and reason.endswith("; SALVIA_FRAMEWORK_STRICT allows no other release"), reason
        assert not any("1.4.2" in line for line in lines), lines
        job, lines = trained(server, "exact", "1.4-2")
        assert job["TrainingJobStatus"] == "Completed" and "sklearn 1.4.2 pandas 2.2.3" in lines, (job.get("FailureReason"), lines)


@test
def the_variable_allows_no_other_version():
    strictly(SALVIA_FRAMEWORK_STRICT="1")


@test
def the_flag_allows_no_other_version():
    strictly("--framework-strict")


run()
