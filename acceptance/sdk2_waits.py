"""What the SageMaker SDK 2 does with pauses of 30 seconds, looked at every second."""
import boto3
from botocore.exceptions import WaiterError

from harness import end_of


def fitted(estimator, inputs=None):
    """Of a job that has ended: (its description, its log as one text)."""
    estimator.fit(inputs, wait=False)
    name = estimator.latest_training_job.name
    job = end_of(boto3.client("sagemaker").describe_training_job, 400, TrainingJobName=name)
    found = boto3.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")
    return job, "\n".join(event["message"] for event in found["events"])


def deployed(model):
    """The predictor of an endpoint in service; its log, where it does not come to serve."""
    predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large", wait=False)
    name = predictor.endpoint_name
    api, logs = boto3.client("sagemaker"), boto3.client("logs")
    try:
        api.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 180})
    except WaiterError as error:
        reason = api.describe_endpoint(EndpointName=name).get("FailureReason")
        try:
            lines = [event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")["events"]]
        except logs.exceptions.ResourceNotFoundException:
            lines = []
        raise AssertionError("\n".join([str(reason), *lines])[-3000:]) from error
    return predictor
