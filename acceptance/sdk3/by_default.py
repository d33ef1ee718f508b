"""A program as people write it for AWS: no endpoint, no bucket, no role. Run through `salvia exec` by test_client.py; argument: the data."""
import json
import sys

from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

session = Session()
trainer = ModelTrainer(
    training_image="174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1",
    compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
    base_job_name="by-default",
    hyperparameters={"k": 10, "feature_dim": 784},
)
trainer.train(input_data_config=[InputData(channel_name="train", data_source=sys.argv[1])], wait=True, logs=False)
job = trainer._latest_training_job
job.refresh()
told = {
    "bucket": session.default_bucket(),
    "role": get_execution_role(session),
    "status": job.training_job_status,
    "used": job.role_arn,
    "model": job.model_artifacts.s3_model_artifacts,
}
print(json.dumps(told))
