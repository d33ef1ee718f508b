"""A script as users write it: its hyperparameters, its channel, a package that it requires, and the API of S3 as the job's role."""
import json
import os
import sys
from urllib.parse import urlparse

import boto3
import cowsay

print("SM_HPS is", os.environ["SM_HPS"])
print("SM_CHANNELS is", os.environ["SM_CHANNELS"], "arguments", sys.argv[1:])
found = {name for name in os.environ if name.startswith("SM_")}
print("SM_NAMES is", json.dumps(sorted(found)))
print("TRAINING_ENV is", json.dumps(sorted(json.loads(os.environ["SM_TRAINING_ENV"]))))
print("says", cowsay.__version__, "on", os.environ["SM_CURRENT_HOST"], "of", os.environ["SM_HOSTS"])
data = sorted(os.listdir(os.environ["SM_CHANNEL_TRAINING"]))
# Credentials and endpoint as boto3 finds them in the container.
caller = boto3.client("sts", region_name=os.environ["AWS_REGION"]).get_caller_identity()["Arn"]
bucket = urlparse(os.environ["SM_MODULE_DIR"]).netloc
listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix="rows/")["KeyCount"]
print(f"{len(data)} files, {listed} objects, as {caller.split('/')[1]}")
with open(os.path.join(os.environ["SM_MODEL_DIR"], f"{os.environ['SM_CURRENT_HOST']}.txt"), "w") as file:
    file.write(os.environ["SM_HPS"])
