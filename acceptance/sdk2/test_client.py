"""The SageMaker Python SDK 2 against Salvia, unpatched: the KMeans estimator on two sharded instances."""
import contextlib
import io
import os

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker import KMeans

from harness import digits, purity, run

train_x, train_y, held_x, held_y = digits()
region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-sdk2"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
state = {}


def the_estimator_trains_on_two_sharded_instances_and_shows_its_log():
    kmeans = KMeans(
        role=role,
        instance_count=2,
        instance_type="ml.c4.xlarge",
        output_path=f"s3://{bucket}/kmeans_example/output",
        k=10,
        data_location=f"s3://{bucket}/kmeans_highlevel_example/data",
        sagemaker_session=session,
    )
    records = kmeans.record_set(train_x)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        kmeans.fit(records, logs=True)
    state["kmeans"] = kmeans
    text = printed.getvalue()
    assert "4000 records" in text.replace(",", ""), text[-3000:]
    assert "Training" in text and "Completed" in text, text[-3000:]
    described = session.sagemaker_client.describe_training_job(TrainingJobName=kmeans.latest_training_job.name)
    assert described["TrainingJobStatus"] == "Completed"
    assert described["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"


def the_predictor_speaks_recordio_both_ways():
    predictor = state["kmeans"].deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
    state["predictor"] = predictor
    clusters = []
    for start in range(0, 1000, 100):
        for record in predictor.predict(held_x[start : start + 100]):
            clusters.append(int(record.label["closest_cluster"].float32_tensor.values[0]))
            assert record.label["distance_to_cluster"].float32_tensor.values[0] > 0
    assert len(clusters) == 1000 and set(clusters) <= set(range(10))
    score = purity(np.array(clusters), held_y)
    assert score >= 0.50, score


def a_training_job_can_be_attached_again():
    attached = KMeans.attach(state["kmeans"].latest_training_job.name, sagemaker_session=session)
    assert attached.model_data == state["kmeans"].model_data
    assert str(attached.k) == "10"


def endpoint_and_model_can_be_deleted_once():
    state["predictor"].delete_model()
    state["predictor"].delete_endpoint()
    try:
        state["predictor"].delete_endpoint()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException"
    else:
        raise AssertionError("a second delete was accepted")


run(
    [
        the_estimator_trains_on_two_sharded_instances_and_shows_its_log,
        the_predictor_speaks_recordio_both_ways,
        a_training_job_can_be_attached_again,
        endpoint_and_model_can_be_deleted_once,
    ]
)
