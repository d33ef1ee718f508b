"""The SageMaker Python SDK 3 against Salvia, unpatched: ModelTrainer with a script and with a built-in algorithm, ModelBuilder, and
the resources of sagemaker-core, whose pydantic shapes must take every answer."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import boto3
import numpy as np
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.core.shapes import AlgorithmSpecification, Channel, DataSource, OutputDataConfig, ResourceConfig
from sagemaker.core.shapes import S3DataSource, StoppingCondition
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

from harness import digits, files_of, purity, run, test
from records import dense_tensor

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-sdk3"
# What a person would have of `salvia env`: get_execution_role() and default_bucket() ask a fixed AWS host, and need `salvia exec`.
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
kmeans_image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"
scikit_image = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
scripts = str(pathlib.Path(__file__).parent / "scikit")

s3, logs = boto3.client("s3"), boto3.client("logs")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = Session(default_bucket=bucket)
train_x, train_y, held_x, held_y = digits()
compute = Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30)
state = {}


def lines_of(job):
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job}/"
    )
    return [event["message"] for page in pages for event in page["events"]]


def script_trainer(entry, **changes):
    return ModelTrainer(
        sagemaker_session=session,
        role=role,
        training_image=scikit_image,
        source_code=SourceCode(source_dir=scripts, entry_script=entry, **changes.pop("source", {})),
        compute=compute,
        **changes,
    )


@test
def a_script_trains_in_a_framework_image():
    folder = pathlib.Path(tempfile.mkdtemp())
    for at in range(2):
        np.savetxt(folder / f"part-{at}.csv", train_x[at * 500 : (at + 1) * 500], delimiter=",", fmt="%g")
    trainer = script_trainer(
        "train.py",
        source={"requirements": "requirements.txt"},
        base_job_name="script",
        hyperparameters={"clusters": 10, "note": "a \"quoted\" note"},
    )
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=str(folder))], wait=True, logs=True)
    job = trainer._latest_training_job
    job.refresh()
    assert job.training_job_status == "Completed", job.failure_reason
    specification = job.algorithm_specification
    assert specification.container_entrypoint == ["/bin/bash"]
    assert "sm_drivers/sm_train.sh" in specification.container_arguments[-1]
    assert [channel.channel_name for channel in job.input_data_config] == ["train", "code", "sm_drivers"]
    files = files_of(s3, job.model_artifacts.s3_model_artifacts)
    seen = json.loads(files["seen.json"])
    assert seen == {
        "files": ["part-0.csv", "part-1.csv"],
        "hyperparameters": {"clusters": 10, "note": "a \"quoted\" note"},
        "host": "algo-1",
        "folder": "/opt/ml/input/data/code",
        "note": "a \"quoted\" note",
    }, seen
    assert len(files["model.joblib"]) > 10 * 784 * 8
    lines = lines_of(job.training_job_name)
    assert "clustered 1,000 rows" in lines, lines[-20:]
    assert any(line.startswith("Making the Python environment scikit-learn") for line in lines), lines[:5]
    output = files_of(s3, job.model_artifacts.s3_model_artifacts.replace("model.tar.gz", "output.tar.gz"))
    assert float(output["inertia.txt"]) > 0


@test
def a_script_that_fails_says_why_and_the_environment_is_there_already():
    trainer = script_trainer("fails.py", base_job_name="fails")
    try:
        trainer.train(wait=True, logs=False)
    except Exception as error:
        assert "Failed" in str(error), error
    else:
        raise AssertionError("a job that fails was waited for and nothing was raised")
    job = trainer._latest_training_job
    job.refresh()
    assert job.training_job_status == "Failed"
    # The SDK's driver writes the failure file, and knows of the script only that it failed.
    assert "fails.py" in job.failure_reason, job.failure_reason
    lines = lines_of(job.training_job_name)
    assert any("the reason that the user must see" in line for line in lines), lines[-20:]
    assert not any("Making the Python environment" in line for line in lines)


@test
def a_command_runs_instead_of_a_script():
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=role,
        training_image=scikit_image,
        source_code=SourceCode(command="echo", args=["two words", "$HOME"]),
        compute=compute,
        base_job_name="command",
    )
    trainer.train(wait=True, logs=False)
    assert "two words $HOME" in lines_of(trainer._latest_training_job.training_job_name)


@test
def a_built_in_algorithm_trains_by_its_image():
    s3.put_object(Bucket=bucket, Key="digits/train", Body=dense_tensor(train_x))
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=role,
        training_image=kmeans_image,
        compute=compute,
        base_job_name="kmeans",
        hyperparameters={"k": 10, "feature_dim": 784},
    )
    s3.put_object(Bucket=bucket, Key="digits/test", Body=dense_tensor(held_x))
    channels = [InputData(channel_name=name, data_source=f"s3://{bucket}/digits/{name}") for name in ("train", "test")]
    trainer.train(input_data_config=channels, wait=True, logs=False)
    job = trainer._latest_training_job
    job.refresh()
    assert job.training_job_status == "Completed"
    assert "test:msd" in [metric.metric_name for metric in job.final_metric_data_list], job.final_metric_data_list
    state.update(job=job.training_job_name, model_data=job.model_artifacts.s3_model_artifacts)


def clusters_of(endpoint):
    body = "\n".join(",".join(f"{value:g}" for value in row) for row in held_x[:200])
    answer = endpoint.invoke(body=body, content_type="text/csv", accept="application/json")
    return [prediction["closest_cluster"] for prediction in json.loads(answer.body.read())["predictions"]]


@test
def a_model_builder_deploys_it_and_the_endpoint_answers():
    builder = ModelBuilder(
        sagemaker_session=session,
        role_arn=role,
        image_uri=kmeans_image,
        s3_model_data_url=state["model_data"],
        instance_type="ml.m5.large",
    )
    model = builder.build(model_name="sdk3-built")
    assert Model.get("sdk3-built").primary_container.model_data_url == state["model_data"], model
    endpoint = builder.deploy(
        endpoint_name="sdk3-built", initial_instance_count=1, instance_type="ml.m5.large", wait=False
    )
    # Its own wait looks every half minute.
    endpoint.wait_for_status("InService", poll=1, timeout=120)
    clusters = clusters_of(endpoint)
    assert purity(np.array(clusters), held_y[:200]) >= 0.45
    state["clusters"] = clusters
    EndpointConfig.get(endpoint.endpoint_config_name).delete()
    endpoint.delete()
    endpoint.wait_for_delete(poll=1, timeout=60)
    model.delete()


@test
def resources_create_and_describe_a_training_job():
    made = TrainingJob.create(
        training_job_name="sdk3-low-level",
        algorithm_specification=AlgorithmSpecification(training_image=kmeans_image, training_input_mode="File"),
        role_arn=role,
        hyper_parameters={"k": "10", "feature_dim": "784"},
        input_data_config=[
            Channel(
                channel_name="train",
                data_source=DataSource(
                    s3_data_source=S3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{bucket}/digits/train")
                ),
            )
        ],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/output"),
        resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=1),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=300),
        tags=[{"key": "made-by", "value": "resources"}],
    )
    made.wait(poll=1, timeout=120)
    found = TrainingJob.get("sdk3-low-level")
    assert found.training_job_status == "Completed" and found.secondary_status == "Completed"
    assert found.resource_config.instance_count == 1 and found.hyper_parameters["k"] == "10"
    assert found.model_artifacts.s3_model_artifacts == f"s3://{bucket}/output/sdk3-low-level/output/model.tar.gz"
    assert [transition.status for transition in found.secondary_status_transitions][-1] == "Completed"
    names = [job.training_job_name for job in TrainingJob.get_all(name_contains="sdk3-low")]
    assert names == ["sdk3-low-level"], names
    found.delete()
    assert list(TrainingJob.get_all(name_contains="sdk3-low")) == []


@test
def resources_create_update_and_delete_an_endpoint():
    model = Model.create(
        model_name="sdk3",
        primary_container=ContainerDefinition(image=kmeans_image, model_data_url=state["model_data"]),
        execution_role_arn=role,
    )

    def configuration(name, count):
        variant = ProductionVariant(
            variant_name="all", model_name="sdk3", initial_instance_count=count, instance_type="ml.m5.large"
        )
        return EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])

    one, two = configuration("sdk3-one", 1), configuration("sdk3-two", 2)
    endpoint = Endpoint.create(endpoint_name="sdk3", endpoint_config_name="sdk3-one")
    endpoint.wait_for_status("InService", poll=1, timeout=120)
    assert clusters_of(endpoint) == state["clusters"]
    endpoint.endpoint_config_name = "sdk3-two"
    endpoint.update()
    endpoint.wait_for_status("InService", poll=1, timeout=120)
    assert endpoint.production_variants[0].current_instance_count == 2
    assert [each.endpoint_name for each in Endpoint.get_all()] == ["sdk3"]
    assert {each.endpoint_config_name for each in EndpointConfig.get_all()} >= {"sdk3-one", "sdk3-two"}
    assert "sdk3" in [each.model_name for each in Model.get_all()]
    endpoint.delete()
    endpoint.wait_for_delete(poll=1, timeout=60)
    for resource in (one, two, model):
        resource.delete()
    assert list(Model.get_all(name_contains="sdk3")) == []


@test
def a_program_that_names_no_bucket_and_no_role_runs_through_exec():
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "train").write_bytes(dense_tensor(train_x[:2000]))
    launcher = pathlib.Path(__file__).parents[2] / "bin" / "salvia.js"
    data = pathlib.Path(os.environ["HOME"]).parent / "data"
    program = pathlib.Path(__file__).parent / "by_default.py"
    ended = subprocess.run(
        [os.environ["SALVIA_TEST_NODE"], launcher, "exec", "--data", data, "--", sys.executable, program, folder / "train"],
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_") or "REGION" in name},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    told = json.loads(ended.stdout.strip().split("\n")[-1])
    assert told["bucket"] == f"sagemaker-{region}-{account}", told
    assert told["role"] == told["used"] == role, told
    assert told["status"] == "Completed" and told["model"].startswith(f"s3://{told['bucket']}/by-default/"), told


run()
