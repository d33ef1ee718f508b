"""An image that `docker build` has made under a name of ECR and nobody has pushed: it trains, its model is deployed, and it answers."""
import os
import pathlib
import tempfile

import boto3

from docker_base import debian, docker, docker_output
from harness import Skipped, end_of, files_of, run, test

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-unpushed"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
api, s3, logs, ecr = (boto3.client(service) for service in ("sagemaker", "s3", "logs", "ecr"))
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
repository = f"salvia-acceptance/unpushed-{os.getpid()}"
own = f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}:v1"
#: As tutorials and other teams name theirs.
foreign = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{repository}:v1"
#: A framework of Salvia's own, in a build of the user's.
framework = f"763104351884.dkr.ecr.{region}.amazonaws.com/pytorch-training:0.0.{os.getpid()}-cpu-py310"
built = []

PROGRAM = '''
import http.server, json, sys

if sys.argv[1] == "train":
    rows = [float(line) for line in open("/opt/ml/input/data/train/rows.csv")]
    json.dump(sum(rows), open("/opt/ml/model/sum.json", "w"))
    print("trained by the image of", open("/name").read())
    sys.exit()
model = json.load(open("/opt/ml/model/sum.json"))

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body=b""):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer()

    def do_POST(self):
        asked = float(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(f"{model + asked} of {open('/name').read()}".encode())

http.server.HTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
'''


def build(name, said):
    if docker("image", "inspect", debian).returncode != 0:
        raise Skipped(f"the base image {debian} is missing: tools/docker/base-image makes it")
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "program.py").write_text(PROGRAM)
        (pathlib.Path(folder) / "name").write_text(said)
        (pathlib.Path(folder) / "Dockerfile").write_text(
            f'FROM {debian}\nCOPY program.py name /\nENTRYPOINT ["python3", "-u", "/program.py"]\n'
        )
        docker_output("build", "-q", "-t", name, folder)
    built.append(name)


def trains_and_answers(image, name, said):
    build(image, said)
    s3.put_object(Bucket=bucket, Key="rows/rows.csv", Body=b"1\n2\n39\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/rows/"}
    api.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=role,
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/output"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    job = end_of(api.describe_training_job, TrainingJobName=name)
    events = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")["events"]
    lines = [event["message"] for event in events]
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
    assert f"trained by the image of {said}" in lines, lines
    assert job["AlgorithmSpecification"]["TrainingImage"] == image
    artifacts = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert files_of(s3, artifacts) == {"sum.json": b"42.0"}
    api.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image, "ModelDataUrl": artifacts})
    variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    api.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    api.create_endpoint(EndpointName=name, EndpointConfigName=name)
    api.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType="text/plain", Body="8")
    assert answer["Body"].read().decode() == f"50.0 of {said}"
    api.delete_endpoint(EndpointName=name)


@test
def an_image_of_one_s_own_registry_s_name_trains_and_answers():
    trains_and_answers(own, "own", "one's own")
    assert repository not in [each["repositoryName"] for each in ecr.describe_repositories()["repositories"]]


@test
def an_image_of_another_registry_s_name_trains_and_answers():
    trains_and_answers(foreign, "foreign", "another account")


@test
def an_image_of_a_framework_s_name_trains_and_answers_as_the_container_that_it_is():
    trains_and_answers(framework, "framework", "one's own framework")


@test
def the_images_are_removed():
    if not built:
        raise Skipped("none was built")
    docker_output("rmi", "-f", *built)


run()
