"""Script mode through the SageMaker SDK 2, unpatched: scikit-learn's estimator, its predictor, and what a script finds in its job."""
import contextlib
import io
import json
import os
import pathlib
import tarfile
import tempfile
import zipfile

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.estimator import Estimator
from sagemaker.sklearn import SKLearn, SKLearnModel

from harness import end_of, files_of, run, test
from sdk2_waits import deployed

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-frameworks"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
here = pathlib.Path(__file__).parent
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
runtime, api = boto3.client("sagemaker-runtime"), boto3.client("sagemaker")
state = {}


def flowers():
    """Rows of (class, four measures): three clouds that a tree can tell apart, as iris has them."""
    random = np.random.default_rng(7)
    centres = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    rows = [[kind, *(centre + random.normal(0, 0.15, 4))] for kind, centre in enumerate(centres) for _ in range(50)]
    return np.array(rows)


def fitted(estimator, inputs=None):
    """What fit printed; the exception that it raised, if it did."""
    printed, raised = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            estimator.fit(inputs, logs=True)
        except Exception as error:
            raised = error
    return printed.getvalue(), raised


@test
def scikit_learn_is_fitted_by_a_script():
    folder = pathlib.Path(tempfile.mkdtemp())
    np.savetxt(folder / "iris.csv", flowers(), delimiter=",")
    train = session.upload_data(str(folder / "iris.csv"), bucket=bucket, key_prefix="iris")
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(here / "iris"),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        hyperparameters={"max_leaf_nodes": 30},
        output_path=f"s3://{bucket}/out",
        code_location=f"s3://{bucket}/code",
        metric_definitions=[{"Name": "train:accuracy", "Regex": "train accuracy: ([0-9.]+)"}],
    )
    text, raised = fitted(estimator, {"train": train})
    assert raised is None, (raised, text[-3000:])
    assert "Framework asked for: scikit-learn 1.2-1-cpu-py3; used: scikit-learn 1." in text, text[:3000]
    assert "train accuracy: 1.0000" in text, text[-3000:]
    job = api.describe_training_job(TrainingJobName=estimator.latest_training_job.name)
    assert job["FinalMetricDataList"][0]["Value"] == 1.0, job["FinalMetricDataList"]
    state["estimator"] = estimator


@test
def the_model_is_deployed_and_answers_arrays():
    predictor = deployed(state["estimator"])
    state["predictor"] = predictor
    rows = flowers()
    predicted = predictor.predict(rows[:, 1:])
    assert (np.asarray(predicted) == rows[:, 0]).mean() >= 0.95, predicted


def invoke(body, content_type, accept):
    return runtime.invoke_endpoint(
        EndpointName=state["predictor"].endpoint_name, Body=body, ContentType=content_type, Accept=accept
    )


@test
def csv_json_and_npy_come_and_go():
    rows = flowers()[::50, 1:]
    csv = "\n".join(",".join(f"{value:.3f}" for value in row) for row in rows)
    answer = invoke(csv, "text/csv", "text/csv")
    assert answer["ContentType"].startswith("text/csv"), answer["ContentType"]
    assert [float(line) for line in answer["Body"].read().split()] == [0, 1, 2]
    assert json.loads(invoke(json.dumps(rows.tolist()), "application/json", "application/json")["Body"].read()) == [0, 1, 2]
    lines = "\n".join(json.dumps(row.tolist()) for row in rows)
    assert invoke(lines, "application/jsonlines", "application/jsonlines")["Body"].read().split() == [b"0.0", b"1.0", b"2.0"]
    packed = io.BytesIO()
    np.save(packed, rows)
    npy = invoke(packed.getvalue(), "application/x-npy", "application/x-npy")["Body"].read()
    assert np.load(io.BytesIO(npy)).tolist() == [0, 1, 2]


@test
def npz_comes_dense_and_sparse():
    rows = flowers()[::50, 1:]
    dense, sparse = io.BytesIO(), io.BytesIO()
    np.savez_compressed(dense, rows)
    # As scipy.sparse.save_npz writes a matrix of compressed rows.
    indices, starts = np.tile(np.arange(4, dtype=np.int32), 3), np.arange(0, 13, 4, dtype=np.int32)
    np.savez(sparse, indices=indices, indptr=starts, format=np.array(b"csr"), shape=np.array(rows.shape), data=rows.ravel())
    for packed in (dense, sparse):
        answer = invoke(packed.getvalue(), "application/x-npz", "application/json")["Body"].read()
        assert json.loads(answer) == [0, 1, 2], answer


@test
def what_the_model_server_cannot_do_is_a_model_error():
    for body, content_type, accept, status, part in (
        ("x", "image/png", "application/json", 415, "content type image/png is not supported"),
        ("1,2,3,4", "text/csv", "image/png", 406, "accept type image/png is not supported"),
        ("1,2", "text/csv", "text/csv", 500, "X has 2 features"),
    ):
        try:
            invoke(body, content_type, accept)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ModelError", error
            assert error.response["OriginalStatusCode"] == status, error.response
            assert part in error.response["OriginalMessage"], error.response["OriginalMessage"]
        else:
            raise AssertionError(f"{content_type} was answered")


@test
def the_endpoint_is_deleted_once():
    state["predictor"].delete_model()
    state["predictor"].delete_endpoint()
    try:
        state["predictor"].delete_endpoint()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
    else:
        raise AssertionError("an endpoint was deleted twice")


@test
def a_batch_is_transformed():
    rows = flowers()
    s3.put_object(Bucket=bucket, Key="batch/iris.csv", Body="".join(",".join(f"{value:.3f}" for value in row) + "\n" for row in rows[:, 1:]))
    transformer = state["estimator"].transformer(
        instance_count=1, instance_type="ml.m5.large", output_path=f"s3://{bucket}/transformed", accept="text/csv", assemble_with="Line"
    )
    transformer.transform(f"s3://{bucket}/batch", content_type="text/csv", split_type="Line", wait=False)
    name = transformer.latest_transform_job.name
    job = end_of(api.describe_transform_job, TransformJobName=name)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    lines = s3.get_object(Bucket=bucket, Key="transformed/iris.csv.out")["Body"].read().decode().splitlines()
    assert len(lines) == 150
    assert (np.array([float(line) for line in lines]) == rows[:, 0]).mean() >= 0.95


@test
def the_four_functions_of_a_script_are_used():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "inference.py").write_text(
        "import json\n"
        "def model_fn(folder): return open(folder + '/weight.txt').read()\n"
        "def input_fn(body, content_type): return json.loads(body)['words']\n"
        "def predict_fn(data, model): return [model + word for word in data]\n"
        "def output_fn(prediction, accept): return '|'.join(prediction), 'text/plain'\n"
    )
    (folder / "weight.txt").write_text("big ")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "weight.txt", "weight.txt")
    data = session.upload_data(str(folder / "model.tar.gz"), bucket=bucket, key_prefix="functions")
    model = SKLearnModel(
        model_data=data, role=role, entry_point=str(folder / "inference.py"), framework_version="1.2-1", sagemaker_session=session
    )
    predictor = deployed(model)
    answer = runtime.invoke_endpoint(
        EndpointName=predictor.endpoint_name, ContentType="application/json", Body=json.dumps({"words": ["a", "b"]})
    )
    assert answer["ContentType"].startswith("text/plain") and answer["Body"].read() == b"big a|big b"
    predictor.delete_endpoint()


@test
def a_script_s_transform_function_takes_the_place_of_three():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "inference.py").write_text(
        "def model_fn(folder): return open(folder + '/weight.txt').read()\n"
        "def transform_fn(model, body, content_type, accept): return f'{model}{body} as {content_type} for {accept}', 'text/plain'\n"
    )
    (folder / "weight.txt").write_text("big ")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "weight.txt", "weight.txt")
    data = session.upload_data(str(folder / "model.tar.gz"), bucket=bucket, key_prefix="transform-function")
    model = SKLearnModel(
        model_data=data, role=role, entry_point=str(folder / "inference.py"), framework_version="1.2-1", sagemaker_session=session
    )
    predictor = deployed(model)
    answer = runtime.invoke_endpoint(EndpointName=predictor.endpoint_name, ContentType="text/csv", Accept="text/html", Body="1,2")
    said = answer["Body"].read()
    assert answer["ContentType"].startswith("text/plain") and said == b"big 1,2 as text/csv for text/html", (answer, said)
    predictor.delete_endpoint()


def in_folder(folder, entry_point, **more):
    return SKLearn(
        entry_point=entry_point,
        source_dir=str(folder),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        **more,
    )


def pieces(entry_point, **more):
    return in_folder(here / "pieces", entry_point, code_location=f"s3://{bucket}/code", output_path=f"s3://{bucket}/out", **more)


@test
def a_script_finds_its_hyperparameters_channels_and_requirements():
    s3.put_object(Bucket=bucket, Key="some/data", Body=b"x")
    given = {"hp1": "value1", "hp2": 300, "hp3": 0.001}
    estimator = pieces("main.py", hyperparameters=dict(given))
    text, raised = fitted(estimator, {"train": f"s3://{bucket}/some", "test": f"s3://{bucket}/some"})
    assert raised is None, (raised, text[-3000:])
    assert 'SM_HPS {"hp1":"value1","hp2":300,"hp3":0.001}' in text, text[-3000:]
    assert 'SM_CHANNELS ["test","train"]' in text
    assert 'arguments ["--hp1", "value1", "--hp2", "300", "--hp3", "0.001"]' in text
    assert "inflected: octopi from beside the script" in text
    # The image has no metrics of its own.
    described = api.describe_training_job(TrainingJobName=estimator.latest_training_job.name)
    assert "MetricDefinitions" not in described["AlgorithmSpecification"] and "FinalMetricDataList" not in described, described
    files = files_of(s3, estimator.model_data)
    found = json.loads(files["environment.json"])
    expected = {
        "SM_HP_HP2": "300",
        "SM_HP_HP1": "value1",
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_MODULE_NAME": "main",
        "SM_USER_ENTRY_POINT": "main.py",
        "SM_NUM_GPUS": "0",
        "SM_FRAMEWORK_MODULE": "sagemaker_sklearn_container.training:main",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
    }
    assert {name: found.get(name) for name in expected} == expected, found
    assert json.loads(found["SM_TRAINING_ENV"])["hyperparameters"] == given


@test
def a_folder_with_a_setup_py_is_installed_and_run_as_a_module():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "setup.py").write_text("from setuptools import setup\nsetup(name='squares', version='1.2', py_modules=['train', 'helper'])\n")
    (folder / "helper.py").write_text("def square(number): return number * number\n")
    (folder / "train.py").write_text(
        "import importlib.metadata, sys\n"
        "from helper import square\n"
        "print('package', importlib.metadata.version('squares'), 'says', square(int(sys.argv[sys.argv.index('--side') + 1])))\n"
    )
    text, raised = fitted(in_folder(folder, "train.py", hyperparameters={"side": 7}))
    assert raised is None and "package 1.2 says 49" in text, (raised, text[-3000:])


@test
def code_whose_archive_leaves_its_folder_is_refused():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("main.py", "../../escaped.py"):
            entry = tarfile.TarInfo(name)
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"pass\n"))
    s3.put_object(Bucket=bucket, Key="hostile/sourcedir.tar.gz", Body=packed.getvalue())
    estimator = Estimator(
        image_uri="246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        instance_count=1,
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        hyperparameters={"sagemaker_program": "main.py", "sagemaker_submit_directory": f"s3://{bucket}/hostile/sourcedir.tar.gz"},
    )
    text, raised = fitted(estimator)
    assert raised is not None and "escaped.py" in str(raised), (raised, text[-3000:])


@test
def a_shell_script_runs_on_every_instance():
    # The SDK's SKLearn takes one instance alone; any estimator may name the image.
    estimator = Estimator(
        image_uri="246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        entry_point="run.sh",
        source_dir=str(here / "pieces"),
        hyperparameters={"x": "a b"},
        role=role,
        instance_count=2,
        instance_type="ml.m5.large",
        sagemaker_session=session,
        output_path=f"s3://{bucket}/out",
        code_location=f"s3://{bucket}/code",
    )
    text, raised = fitted(estimator)
    assert raised is None, (raised, text[-3000:])
    assert text.count("shell script with: -x a b") == 2, text[-3000:]
    assert sorted(files_of(s3, estimator.model_data)) == ["host-algo-1", "host-algo-2"]


def isolated(files, name="sourcedir.tar.gz", key=None):
    """(what was printed, what fit raised) of a job without a network whose code is an archive of these files; `key`: another than where it is."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, body in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    s3.put_object(Bucket=bucket, Key=f"isolated/{name}", Body=packed.getvalue())
    return fitted(
        Estimator(
            image_uri="246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
            instance_count=1,
            instance_type="ml.m5.large",
            role=role,
            sagemaker_session=session,
            enable_network_isolation=True,
            hyperparameters={"sagemaker_program": "main.py", "sagemaker_submit_directory": f"s3://{bucket}/{key or 'isolated/' + name}"},
        )
    )


def wheel(name):
    """(file name, bytes) of a package with nothing but its name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}.py", f"said = '{name} says so'\n")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return f"{name}-1.0-py3-none-any.whl", packed.getvalue()


@test
def code_reaches_a_job_without_a_network():
    main = b"import os\nprint('alone', sorted(n for n in os.environ if n.startswith('AWS_') and 'REGION' not in n), os.listdir('.'))\n"
    text, raised = isolated({"main.py": main})
    assert raised is None and "alone [] ['main.py']" in text, (raised, text[-3000:])
    # The SDK's own estimators send their code as a channel.
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "main.py").write_bytes(main)
    text, raised = fitted(in_folder(folder, "main.py", enable_network_isolation=True))
    assert raised is None and "alone [] ['main.py']" in text, (raised, text[-3000:])


@test
def requirements_of_a_job_without_a_network_come_with_its_code_or_fail_in_words():
    file, body = wheel("besides")
    main = b"import besides\nprint('besides:', besides.said)\n"
    text, raised = isolated({"main.py": main, file: body, "requirements.txt": f"./{file}\n".encode()}, "own.tar.gz")
    assert raised is None and "besides: besides says so" in text, (raised, text[-3000:])
    text, raised = isolated({"main.py": main, "requirements.txt": b"inflection==0.5.1\n"}, "index.tar.gz")
    assert raised is not None and "InstallRequirementsError" in str(raised), (raised, text[-3000:])
    assert "runs with network isolation (EnableNetworkIsolation), where pip reaches no package index" in str(raised), raised


@test
def code_that_is_not_there_fails_a_job_without_a_network():
    text, raised = isolated({"main.py": b""}, "some.tar.gz", key="isolated/none.tar.gz")
    assert raised is not None and f"There is no code at s3://{bucket}/isolated/none.tar.gz" in str(raised), (raised, text[-3000:])


@test
def a_script_that_raises_fails_the_job_with_its_error():
    text, raised = fitted(pieces("main.py", hyperparameters={"fail": "now"}), None)
    assert raised is not None
    jobs = api.list_training_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)["TrainingJobSummaries"]
    reason = api.describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage"), reason
    assert "ValueError: the reason that the user must see" in reason, reason
    assert reason.endswith(", exit code: 1"), reason


@test
def an_image_that_needs_a_container_is_refused_by_name_with_what_to_do():
    registry = "763104351884.dkr.ecr.us-west-2.amazonaws.com"
    tgi = f"{registry}/huggingface-pytorch-tgi-inference:2.4.0-tgi3.0.1-gpu-py311-cu124-ubuntu22.04"
    api.create_model(ModelName="tgi", PrimaryContainer={"Image": tgi}, ExecutionRoleArn=role)
    variant = {"VariantName": "all", "ModelName": "tgi", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}

    def deploy():
        api.create_endpoint_config(EndpointConfigName="tgi", ProductionVariants=[variant])
        api.create_endpoint(EndpointName="tgi", EndpointConfigName="tgi")

    compiler = f"{registry}/huggingface-pytorch-trcomp-training:1.9.0-transformers4.11.0-gpu-py38-cu111-ubuntu20.04"
    neuron = f"{registry}/huggingface-pytorch-training-neuronx:2.1.2-transformers4.48.1-neuronx-py310-sdk2.20.0-ubuntu20.04"

    def train(image):
        Estimator(
            image_uri=image, instance_count=1, instance_type="ml.m5.large", role=role, sagemaker_session=session,
            hyperparameters={"sagemaker_program": "main.py"},
        ).fit(wait=False)

    for image, ask, advice in (
        (tgi, deploy, "huggingface-pytorch-inference (HF_MODEL_ID, HF_TASK)"),
        (compiler, lambda: train(compiler), "huggingface-pytorch-training"),
        (neuron, lambda: train(neuron), "without its neuron part"),
    ):
        try:
            ask()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException", error
            message = error.response["Error"]["Message"]
            assert image in message and advice in message and "docker pull" in message, message
        else:
            raise AssertionError(f"{image} was accepted")


@test
def what_is_missing_is_told():
    scikit = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    common = dict(image_uri=scikit, role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session)
    for given, part in (
        ({}, "set its name in the hyperparameter sagemaker_program"),
        ({"sagemaker_program": "a.py", "sagemaker_submit_directory": f"s3://{bucket}/none.tar.gz"}, "HTTP 404"),
        ({"sagemaker_program": "a.py", "sagemaker_mpi_enabled": "true"}, "is not implemented (sagemaker_mpi_enabled)"),
    ):
        estimator = Estimator(hyperparameters=given, output_path=f"s3://{bucket}/out", **common)
        _, raised = fitted(estimator)
        assert raised is not None and part in str(raised), raised


run()
