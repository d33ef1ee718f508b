"""A script in the style of the first public k-means notebooks: low level, everything by boto3, data from a sample bucket of AWS."""
import gzip
import io
import json
import pickle
import struct
import sys
import time
import urllib.request

import boto3
import numpy as np
from sagemaker import get_execution_role, image_uris
from sagemaker.amazon.common import write_numpy_to_dense_tensor
from sagemaker.session import Session

region = boto3.Session().region_name
role = get_execution_role()
bucket = Session().default_bucket()
prefix = "sagemaker/kmeans-lowlevel"
sample = f"sagemaker-sample-data-{region}"

# By client, by the URL that old notebooks have, and by the one of today: all without a word about an endpoint.
fetched = io.BytesIO()
boto3.client("s3").download_fileobj(sample, "algorithms/kmeans/mnist/mnist.pkl.gz", fetched)
for url in (f"https://s3.amazonaws.com/{sample}", f"https://{sample}.s3.{region}.amazonaws.com", f"http://s3-{region}.amazonaws.com/{sample}"):
    with urllib.request.urlopen(f"{url}/algorithms/kmeans/mnist/mnist.pkl.gz", timeout=60) as answer:
        assert answer.read() == fetched.getvalue(), url
with gzip.open(io.BytesIO(fetched.getvalue()), "rb") as packed:
    train_set, valid_set, test_set = pickle.load(packed, encoding="latin1")

vectors = train_set[0].T.T
labels = np.where(train_set[1] == 0, 1, 0)
buffer = io.BytesIO()
write_numpy_to_dense_tensor(buffer, train_set[0], train_set[1])
buffer.seek(0)
boto3.resource("s3").Bucket(bucket).Object(f"{prefix}/train/data").upload_fileobj(buffer)

job = "kmeans-lowlevel-" + time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())
image = image_uris.retrieve("kmeans", region)
sagemaker = boto3.client("sagemaker")
sagemaker.create_training_job(
    TrainingJobName=job,
    AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
    RoleArn=role,
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{prefix}/output"},
    ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.c4.xlarge", "VolumeSizeInGB": 50},
    HyperParameters={"k": "10", "feature_dim": "784", "mini_batch_size": "500", "force_dense": "True"},
    StoppingCondition={"MaxRuntimeInSeconds": 3600},
    InputDataConfig=[
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}/train/data", "S3DataDistributionType": "FullyReplicated"}},
            "CompressionType": "None",
            "RecordWrapperType": "None",
        }
    ],
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job, WaiterConfig={"Delay": 1})
ended = sagemaker.describe_training_job(TrainingJobName=job)
assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")

container = {"Image": image, "ModelDataUrl": ended["ModelArtifacts"]["S3ModelArtifacts"]}
sagemaker.create_model(ModelName=job, ExecutionRoleArn=role, PrimaryContainer=container)
variant = {"InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1, "ModelName": job, "VariantName": "AllTraffic"}
sagemaker.create_endpoint_config(EndpointConfigName=job, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=job, EndpointConfigName=job)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=job, WaiterConfig={"Delay": 1})

csv = "\n".join(",".join("%g" % value for value in row) for row in valid_set[0][0:100])
answer = boto3.client("runtime.sagemaker").invoke_endpoint(EndpointName=job, ContentType="text/csv", Body=csv)
predictions = json.loads(answer["Body"].read().decode())["predictions"]
clusters = [int(each["closest_cluster"]) for each in predictions]
assert len(clusters) == 100 and set(clusters) <= set(range(10)), clusters
# Of each cluster the digit that most of it is.
truth = valid_set[1][0:100]
right = sum(max(np.bincount(truth[np.array(clusters) == cluster])) for cluster in set(clusters))
sagemaker.delete_endpoint(EndpointName=job)
try:
    boto3.client("s3").put_object(Bucket=sample, Key="mine", Body=b"x")
    sys.exit("a sample bucket took an object")
except boto3.client("s3").exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "AccessDenied", error
print("purity", right / 100)
