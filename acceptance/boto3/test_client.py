"""boto3 against Salvia, unpatched: the k-means example in its low-level form, and the operations around it."""
import io
import json
import time

import boto3
import numpy as np

from clients import IMAGE, REGION, account, cloudwatch, expect_error, logs, role, runtime, s3, sagemaker
from harness import digits, end_of, files_of, purity, run
from records import dense_tensor

sts = boto3.client("sts")
iam = boto3.client("iam")
bucket = "acceptance-boto3"
job = "kmeans-lowlevel-" + time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())
train_x, train_y, held_x, held_y = digits()


def training_request(name, **changes):
    request = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/kmeans_example/output"},
        "ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.c4.xlarge", "VolumeSizeInGB": 50},
        "TrainingJobName": name,
        "HyperParameters": {"k": "10", "feature_dim": "784", "mini_batch_size": "500", "force_dense": "True"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60 * 60},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/kmeans_lowlevel_example/data",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "CompressionType": "None",
                "RecordWrapperType": "None",
            }
        ],
    }
    request.update(changes)
    return request


def the_caller_is_the_execution_role():
    assert sts.get_caller_identity()["Arn"].startswith(f"arn:aws:sts::{account}:assumed-role/SalviaExecutionRole/")
    assert iam.get_role(RoleName="SalviaExecutionRole")["Role"]["Arn"] == role


def the_digits_are_uploaded():
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.upload_fileobj(io.BytesIO(dense_tensor(train_x, train_y)), bucket, "kmeans_lowlevel_example/data")
    head = s3.head_object(Bucket=bucket, Key="kmeans_lowlevel_example/data")
    assert head["ContentLength"] == len(dense_tensor(train_x, train_y))


def a_large_file_goes_up_in_parts_and_comes_back_whole():
    content = np.random.default_rng(1).bytes(25_000_000)
    s3.upload_fileobj(io.BytesIO(content), bucket, "large.bin")
    back = io.BytesIO()
    s3.download_fileobj(bucket, "large.bin", back)
    assert back.getvalue() == content
    assert s3.get_object(Bucket=bucket, Key="large.bin", Range="bytes=10-19")["Body"].read() == content[10:20]


def the_training_job_completes():
    sagemaker.create_training_job(**training_request(job), Tags=[{"Key": "team", "Value": "digits"}])
    sagemaker.get_waiter("training_job_completed_or_stopped").config.delay = 1
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=job, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    done = sagemaker.describe_training_job(TrainingJobName=job)
    assert done["TrainingJobStatus"] == "Completed", done
    assert "FailureReason" not in done
    assert done["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/kmeans_example/output/{job}/output/model.tar.gz"
    steps = [step["Status"] for step in done["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"], steps
    assert all(step["StatusMessage"] for step in done["SecondaryStatusTransitions"])
    assert done["BillableTimeInSeconds"] >= 0 and done["TrainingEndTime"] >= done["TrainingStartTime"]
    assert "VpcConfig" not in done and "CheckpointConfig" not in done


def the_model_is_a_tar_gz_with_the_centres():
    assert "model_algo-1" in files_of(s3, f"s3://{bucket}/kmeans_example/output/{job}/output/model.tar.gz")


def both_instances_wrote_a_log():
    streams = logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job + "/", orderBy="LogStreamName", limit=2
    )["logStreams"]
    assert [stream["logStreamName"].split("/")[1].rsplit("-", 1)[0] for stream in streams] == ["algo-1", "algo-2"]
    for stream in streams:
        events = logs.get_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
        assert any("8000 records" in event["message"].replace(",", "") for event in events), events
    found = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=job)["events"]
    assert len(found) > 4


def the_endpoint_answers_csv_with_clusters_and_distances():
    artifacts = sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(
        ModelName=job, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifacts}
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=job,
        ProductionVariants=[
            {"InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1, "ModelName": job, "VariantName": "AllTraffic"}
        ],
    )
    sagemaker.create_endpoint(EndpointName=job, EndpointConfigName=job)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=job, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    described = sagemaker.describe_endpoint(EndpointName=job)
    assert described["ProductionVariants"][0]["CurrentWeight"] == 1.0
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    clusters = []
    for start in range(0, 1000, 100):
        body = "\n".join(",".join("%g" % value for value in row) for row in held_x[start : start + 100])
        answer = runtime.invoke_endpoint(EndpointName=job, ContentType="text/csv", Body=body)
        assert answer["InvokedProductionVariant"] == "AllTraffic"
        predictions = json.loads(answer["Body"].read())["predictions"]
        assert len(predictions) == 100
        assert all(prediction["distance_to_cluster"] > 0 for prediction in predictions)
        clusters += [int(prediction["closest_cluster"]) for prediction in predictions]
    assert set(clusters) <= set(range(10))
    score = purity(np.array(clusters), held_y)
    assert score >= 0.50, score


def a_bad_payload_is_a_model_error_and_names_the_widths():
    response = expect_error("ModelError", "784", runtime.invoke_endpoint, EndpointName=job, ContentType="text/csv", Body="1,2,3")
    assert response["OriginalStatusCode"] == 400, response
    expect_error("ModelError", "415", runtime.invoke_endpoint, EndpointName=job, ContentType="image/png", Body=b"x")


def jobs_are_listed_searched_and_tagged():
    arn = sagemaker.describe_training_job(TrainingJobName=job)["TrainingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "digits"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    listed = sagemaker.list_training_jobs(NameContains="lowlevel", StatusEquals="Completed")["TrainingJobSummaries"]
    assert [summary["TrainingJobName"] for summary in listed] == [job]
    filters = [{"Name": "Tags.stage", "Operator": "Equals", "Value": "test"}]
    found = sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": filters})["Results"]
    assert [result["TrainingJob"]["TrainingJobName"] for result in found] == [job]


def a_test_channel_gives_a_metric_here_and_in_cloudwatch():
    s3.put_object(Bucket=bucket, Key="held-out", Body=dense_tensor(held_x, held_y))
    request = training_request("with-test-channel")
    request["ResourceConfig"]["InstanceCount"] = 1
    request["InputDataConfig"].append(
        {
            "ChannelName": "test",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/held-out"}},
        }
    )
    sagemaker.create_training_job(**request)
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="with-test-channel", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    done = sagemaker.describe_training_job(TrainingJobName="with-test-channel")
    values = {metric["MetricName"]: metric["Value"] for metric in done["FinalMetricDataList"]}
    assert 20 < values["test:msd"] < 60, values
    names = {metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace="/aws/sagemaker/TrainingJobs")["Metrics"]}
    assert "test:msd" in names, names


def a_job_can_be_stopped():
    request = training_request("to-be-stopped")
    request["HyperParameters"]["epochs"] = "100000"
    sagemaker.create_training_job(**request)
    while sagemaker.describe_training_job(TrainingJobName="to-be-stopped")["SecondaryStatus"] != "Training":
        time.sleep(0.2)
    sagemaker.stop_training_job(TrainingJobName="to-be-stopped")
    assert sagemaker.describe_training_job(TrainingJobName="to-be-stopped")["TrainingJobStatus"] in ("Stopping", "Stopped")
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="to-be-stopped", WaiterConfig={"Delay": 1, "MaxAttempts": 150}
    )
    assert sagemaker.describe_training_job(TrainingJobName="to-be-stopped")["TrainingJobStatus"] == "Stopped"


def a_job_that_cannot_work_fails_with_its_reason():
    request = training_request("no-data")
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/nothing-here"
    sagemaker.create_training_job(**request)
    request = training_request("bad-hyperparameter")
    request["HyperParameters"]["k"] = "many"
    sagemaker.create_training_job(**request)
    for name, part in (("no-data", "nothing-here"), ("bad-hyperparameter", "k")):
        described = end_of(sagemaker.describe_training_job, seconds=60, TrainingJobName=name)
        assert described["TrainingJobStatus"] == "Failed", described
        assert described["FailureReason"].startswith("ClientError") and part in described["FailureReason"], described


def errors_have_the_texts_that_clients_match():
    expect_error("ValidationException", "Requested resource not found", sagemaker.describe_training_job, TrainingJobName="nope")
    expect_error("ValidationException", "Could not find model", sagemaker.describe_model, ModelName="nope")
    expect_error(
        "ValidationException", "Could not find endpoint configuration", sagemaker.describe_endpoint_config, EndpointConfigName="nope"
    )
    expect_error("ValidationException", "Could not find endpoint", sagemaker.describe_endpoint, EndpointName="nope")
    expect_error("ResourceInUse", "", sagemaker.create_training_job, **training_request(job))
    expect_error(
        "ValidationException",
        "failed to satisfy constraint",
        sagemaker.create_model,
        ModelName="not_a_valid_name!",
        ExecutionRoleArn=role,
    )
    expect_error("NotImplementedException", "CreateCompilationJob", sagemaker.create_compilation_job,
        CompilationJobName="c", RoleArn=role, OutputConfig={"S3OutputLocation": "s3://b/c"}, StoppingCondition={"MaxRuntimeInSeconds": 60})


def everything_can_be_deleted():
    sagemaker.delete_endpoint(EndpointName=job)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=job, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sagemaker.delete_endpoint_config(EndpointConfigName=job)
    sagemaker.delete_model(ModelName=job)
    sagemaker.delete_training_job(TrainingJobName=job)
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_models()["Models"] == []
    expect_error("ValidationException", "Could not find", sagemaker.delete_endpoint, EndpointName=job)


run(
    [
        the_caller_is_the_execution_role,
        the_digits_are_uploaded,
        a_large_file_goes_up_in_parts_and_comes_back_whole,
        the_training_job_completes,
        the_model_is_a_tar_gz_with_the_centres,
        both_instances_wrote_a_log,
        the_endpoint_answers_csv_with_clusters_and_distances,
        a_bad_payload_is_a_model_error_and_names_the_widths,
        jobs_are_listed_searched_and_tagged,
        a_test_channel_gives_a_metric_here_and_in_cloudwatch,
        a_job_can_be_stopped,
        a_job_that_cannot_work_fails_with_its_reason,
        errors_have_the_texts_that_clients_match,
        everything_can_be_deleted,
    ]
)
