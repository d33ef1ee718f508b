"""What jobs and endpoints cost: by the command, and by the API that it shares with the pages."""
import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from clients import IMAGE, blobs, bucket, channel, describe, ended, make_bucket, put, role, sagemaker, start, train, training_request, until
from harness import run, test
from records import dense_tensor

salvia = [os.environ["SALVIA_TEST_NODE"], str(pathlib.Path(__file__).resolve().parent.parent.parent / "bin" / "salvia.js")]
data = channel(f"s3://{bucket}/train.pbr")
state = {}


def command(*words):
    done = subprocess.run([*salvia, "cost", "--data", os.environ["SALVIA_TEST_DATA"], *words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def asked(query="", service="sagemaker", sign=True, session=None):
    """(status, answer) of the API, signed as boto3 signs."""
    request = AWSRequest("GET", f"{os.environ['AWS_ENDPOINT_URL']}/_salvia/cost{query}")
    if sign:
        SigV4Auth((session or boto3.Session()).get_credentials(), service, os.environ["AWS_DEFAULT_REGION"]).add_auth(request)
    prepared = request.prepare()
    try:
        with urllib.request.urlopen(urllib.request.Request(prepared.url, headers=dict(prepared.headers))) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@test
def a_job_costs_its_billable_seconds_times_its_instances():
    make_bucket()
    put("train.pbr", dense_tensor(blobs(500)[0]))
    done = train("paid", data, instances=2, Tags=[{"Key": "team", "Value": "blue"}])
    stopping = {"MaxRuntimeInSeconds": 3, "MaxWaitTimeInSeconds": 600}
    start("spot", data, hyperparameters={"epochs": "1000000"}, EnableManagedSpotTraining=True, StoppingCondition=stopping)
    spot = ended("spot", "Stopped")
    status, answer = asked()
    assert status == 200, answer
    rows = {row["key"]: row for row in answer["rows"]}
    # A dollar per second.
    assert abs(rows["training-job/paid"]["cost"] - 2 * done["BillableTimeInSeconds"]) < 1e-6, (rows, done)
    assert abs(rows["training-job/spot"]["cost"] - spot["BillableTimeInSeconds"]) < 1e-6, (rows, spot)
    saved = spot["TrainingTimeInSeconds"] - spot["BillableTimeInSeconds"]
    assert saved > 0 and abs(rows["training-job/spot"]["saved"] - saved) < 1e-6, (rows, spot)
    status, by_team = asked("?by=tag%3Ateam")
    assert {row["key"] for row in by_team["rows"]} == {"team=blue", "(without team)"}, by_team
    state["total"] = answer["total"]["cost"]


@test
def the_command_says_the_same_as_a_table_and_as_json():
    code, out, problem = command("--json")
    assert code == 0, problem
    assert abs(json.loads(out)["total"]["cost"] - state["total"]) < 1e-6, out
    code, out, problem = command()
    assert code == 0 and "training-job/paid" in out and f"{state['total']:.2f}" in out, (out, problem)
    assert command("--by", "colour")[0] == 2 and "by must be resource" in command("--by", "colour")[2]


@test
def an_endpoint_costs_while_it_is_there_and_sits_idle():
    artifacts = sagemaker.describe_training_job(TrainingJobName="paid")["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifacts})
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="quiet", EndpointConfigName="c")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="quiet", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    status, answer = asked("?by=kind&idle-hours=0")
    endpoint = next(row for row in answer["rows"] if row["key"] == "endpoint")
    assert endpoint["isRunning"] and abs(endpoint["cost"] - endpoint["instanceHours"] * 0.23) < 1e-9, endpoint
    assert [(idle["name"], idle["costPerHour"]) for idle in answer["idle"]] == [("quiet", 0.23)], answer["idle"]
    assert "aws sagemaker delete-endpoint --region us-west-2 --endpoint-name quiet" in command("--idle-hours", "0")[1]
    sagemaker.delete_endpoint(EndpointName="quiet")


@test
def nobody_else_hears_of_it():
    assert asked(sign=False)[0] == 403, asked(sign=False)
    assert asked(service="s3")[0] == 403, asked(service="s3")
    status, answer = asked("?from=yesterday")
    assert status == 400 and "from must be a day" in answer["message"], answer
    assert asked("?colour=red")[0] == 400


@test
def a_user_sees_costs_who_may_see_them_on_aws():
    iam = boto3.client("iam")
    iam.create_user(UserName="accountant")
    key = iam.create_access_key(UserName="accountant")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"])
    status, answer = asked(session=session)
    assert status == 403 and "not authorized to perform: ce:GetCostAndUsage" in answer["message"], answer
    statement = {"Effect": "Allow", "Action": "ce:GetCostAndUsage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="accountant", PolicyName="costs", PolicyDocument=policy)
    status, answer = asked(session=session)
    assert status == 200 and abs(answer["total"]["cost"] - asked()[1]["total"]["cost"]) < 1, answer


@test
def a_kept_warm_pool_costs_from_the_end_of_its_job():
    request = training_request("kept", data)
    request["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 60
    sagemaker.create_training_job(**request)
    job = ended("kept")
    assert job["WarmPoolStatus"]["Status"] == "Available", job
    rows = {row["key"]: row for row in asked()[1]["rows"]}
    assert rows["warm-pool/kept"]["isRunning"] and not rows["training-job/kept"]["isRunning"], rows
    sagemaker.update_training_job(TrainingJobName="kept", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    until(lambda: describe("kept")["WarmPoolStatus"]["Status"] == "Terminated", "the end of the pool")
    pool = describe("kept")["WarmPoolStatus"]
    rows = {row["key"]: row for row in asked()[1]["rows"]}
    # A dollar per second.
    assert abs(rows["warm-pool/kept"]["cost"] - pool["ResourceRetainedBillableTimeInSeconds"]) < 1e-6, (rows, pool)


run()
