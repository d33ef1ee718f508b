"""Endpoints: variants and their shares, several instances, updates under load, failures, and what is seen of them from outside."""
import io
import json
import tarfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from clients import (
    IMAGE,
    TRUE_CENTRES,
    cloudwatch,
    endpoint_settled,
    expect_error,
    logs,
    make_bucket,
    make_endpoint,
    make_model,
    put,
    role,
    runtime,
    s3,
    sagemaker,
    serve,
    until,
    variant,
)
from harness import run, test
from records import csv_lines, write_ndarray


def packed(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def ask(endpoint, body="1,1,1,1", **more):
    return runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body, **more)


def nearest(answer):
    return json.loads(answer["Body"].read())["predictions"][0]


def by_variant(described):
    return {each["VariantName"]: each for each in described["ProductionVariants"]}


@test
def two_variants_of_two_instances_come_into_service():
    make_bucket()
    # The same cluster at different distances, to see which model answered.
    make_model("near", put("models/near.tar.gz", packed("model_algo-1", write_ndarray(TRUE_CENTRES))))
    make_model("far", put("models/far.tar.gz", packed("model_algo-1", write_ndarray(TRUE_CENTRES + 100))))
    described = make_endpoint(
        "pair",
        variant("near", "near", instances=2, InitialVariantWeight=1),
        variant("far", "far", InitialVariantWeight=3),
        config="pair-1-3",
    )
    variants = by_variant(described)
    assert variants["near"]["CurrentInstanceCount"] == 2 and variants["far"]["CurrentInstanceCount"] == 1, variants
    assert (variants["near"]["CurrentWeight"], variants["far"]["CurrentWeight"]) == (1.0, 3.0), variants
    assert described["EndpointConfigName"] == "pair-1-3" and "FailureReason" not in described


@test
def traffic_is_shared_by_weight():
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask("pair"), range(400)))
    counts = Counter(answer["InvokedProductionVariant"] for answer in answers)
    # 100 of 400 are wanted; a share of chance of 25 % strays by more than 40 in one run of 250,000.
    assert 60 <= counts["near"] <= 140, counts
    for answer in answers:
        is_near = nearest(answer)["distance_to_cluster"] < 50
        assert is_near == (answer["InvokedProductionVariant"] == "near")


@test
def a_variant_can_be_asked_for():
    for name in ["near", "far"] * 5:
        assert ask("pair", TargetVariant=name)["InvokedProductionVariant"] == name
    expect_error("ValidationError", "Variant none", ask, endpoint="pair", TargetVariant="none")


@test
def every_instance_writes_a_log_under_its_variant():
    def three():
        streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/pair")["logStreams"]
        return len(streams) == 3 and streams

    names = [stream["logStreamName"] for stream in until(three, "three streams")]
    assert sorted(name.split("/")[0] for name in names) == ["far", "near", "near"], names
    for name in names:
        lines = logs.get_log_events(logGroupName="/aws/sagemaker/Endpoints/pair", logStreamName=name)["events"]
        assert lines, name


@test
def custom_attributes_reach_the_container_and_come_back():
    answer = ask("pair", CustomAttributes="trace=7;a b", InferenceId="id-1")
    assert answer["CustomAttributes"] == "trace=7;a b", answer
    assert "CustomAttributes" not in ask("pair")


@test
def a_payload_of_almost_six_megabytes_is_answered_whole_and_a_larger_one_refused():
    rows = csv_lines([(0.123456, 19.9877, 0.123456, 0.654321)] * 170_000)
    assert 5_900_000 < len(rows) <= 6_291_456, len(rows)
    answer = ask("pair", body=rows, TargetVariant="near", Accept="text/csv")
    assert answer["ContentType"].startswith("text/csv")
    lines = answer["Body"].read().decode().splitlines()
    assert len(lines) == 170_000 and all(line.startswith("2.0,") for line in lines)
    expect_error("ValidationError", "less than or equal to 6291456", ask, endpoint="pair", body=b"1" * 6_291_457)
    response = expect_error("RequestEntityTooLarge", "", ask, endpoint="pair", body=b"1" * 26_000_000)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert ask("pair")["ResponseMetadata"]["HTTPStatusCode"] == 200


class Load:
    """Asks an endpoint without a pause from several threads, and keeps what went wrong."""

    def __init__(self, endpoint, threads=3):
        self.endpoint, self.answers, self.errors = endpoint, [], []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.ask_on) for _ in range(threads)]

    def ask_on(self):
        while not self.is_over.is_set():
            try:
                answer = ask(self.endpoint)
                self.answers.append((answer["InvokedProductionVariant"], nearest(answer)["distance_to_cluster"]))
            except Exception as error:
                self.errors.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


@test
def an_update_under_load_fails_no_call():
    sagemaker.create_endpoint_config(
        EndpointConfigName="pair-only-far", ProductionVariants=[variant("far", "only", instances=2)]
    )
    with Load("pair") as load:
        until(lambda: len(load.answers) > 20, "20 answers before the update")
        sagemaker.update_endpoint(EndpointName="pair", EndpointConfigName="pair-only-far")
        busy = sagemaker.describe_endpoint(EndpointName="pair")
        assert busy["EndpointStatus"] == "Updating" and busy["EndpointConfigName"] == "pair-1-3", busy
        expect_error(
            "ValidationException", "in-progress", sagemaker.update_endpoint, EndpointName="pair", EndpointConfigName="pair-1-3"
        )
        described = endpoint_settled("pair")
        asked = len(load.answers)
        until(lambda: len(load.answers) > asked + 100, "100 answers after the update")
    assert load.errors == [], load.errors[:3]
    assert described["EndpointConfigName"] == "pair-only-far", described
    assert {name for name, _ in load.answers[:20]} <= {"near", "far"}
    assert {name for name, _ in load.answers[-50:]} == {"only"}


@test
def weights_and_instance_counts_change_under_load_without_a_failed_call():
    make_endpoint("shares", variant("near", "near", InitialVariantWeight=1), variant("far", "far", InitialVariantWeight=1))

    def change(**desired):
        wishes = [{"VariantName": name, **wish} for name, wish in desired.items()]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName="shares", DesiredWeightsAndCapacities=wishes)
        return by_variant(endpoint_settled("shares"))

    with Load("shares") as load:
        variants = change(near={"DesiredInstanceCount": 2, "DesiredWeight": 1}, far={"DesiredWeight": 0})
        assert variants["near"]["CurrentInstanceCount"] == 2 and variants["far"]["CurrentWeight"] == 0.0, variants
        asked = len(load.answers)
        until(lambda: len(load.answers) > asked + 60, "60 answers")
        assert {name for name, _ in load.answers[asked + 10 :]} == {"near"}
        variants = change(near={"DesiredInstanceCount": 1})
        assert variants["near"]["CurrentInstanceCount"] == 1, variants
        asked = len(load.answers)
        until(lambda: len(load.answers) > asked + 60, "60 more")
    assert load.errors == [], load.errors[:3]
    expect_error(
        "ValidationException",
        "nobody",
        sagemaker.update_endpoint_weights_and_capacities,
        EndpointName="shares",
        DesiredWeightsAndCapacities=[{"VariantName": "nobody", "DesiredWeight": 1}],
    )
    sagemaker.delete_endpoint(EndpointName="shares")


@test
def an_update_that_cannot_work_leaves_the_endpoint_as_it_was():
    make_model("broken", put("models/broken.tar.gz", b"this is no archive"))
    sagemaker.create_endpoint_config(EndpointConfigName="broken", ProductionVariants=[variant("broken")])
    with Load("pair", threads=1) as load:
        sagemaker.update_endpoint(EndpointName="pair", EndpointConfigName="broken")
        described = endpoint_settled("pair")
    assert described["EndpointConfigName"] == "pair-only-far" and described["FailureReason"], described
    assert load.errors == [] and {name for name, _ in load.answers} == {"only"}, load.errors[:3]


@test
def broken_model_data_fails_an_endpoint_with_its_reason():
    nowhere = "s3://acceptance/models/nothing-here.tar.gz"
    create = sagemaker.create_model
    container = {"Image": IMAGE, "ModelDataUrl": nowhere}
    expect_error("ValidationException", "Could not find model data", create, ModelName="gone", ExecutionRoleArn=role, PrimaryContainer=container)
    make_model("gone", put("models/nothing-here.tar.gz", b"soon deleted"))
    s3.delete_object(Bucket="acceptance", Key="models/nothing-here.tar.gz")
    make_model("wrong", put("models/wrong.tar.gz", packed("readme.txt", b"no model in here")))
    sagemaker.create_endpoint(EndpointName="fails-broken", EndpointConfigName="broken")
    gone = make_endpoint("fails-gone", variant("gone"), status="Failed")
    assert "nothing-here" in gone["FailureReason"], gone
    wrong = make_endpoint("fails-wrong", variant("wrong"), status="Failed")
    assert "did not pass the ping health check" in wrong["FailureReason"] or "model_algo-1" in wrong["FailureReason"], wrong
    assert endpoint_settled("fails-broken", "Failed")["FailureReason"]
    expect_error("ValidationError", "", ask, endpoint="fails-gone")
    expect_error(
        "ValidationException", "failed", sagemaker.update_endpoint, EndpointName="fails-gone", EndpointConfigName="pair-1-3"
    )
    for name in ("fails-broken", "fails-gone", "fails-wrong"):
        sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: sagemaker.list_endpoints(NameContains="fails")["Endpoints"] == [], "all failed endpoints deleted")


@test
def more_instances_than_endpoints_may_hold_is_a_limit_exceeded():
    sagemaker.create_endpoint_config(EndpointConfigName="huge", ProductionVariants=[variant("near", instances=9)])
    expect_error(
        "ResourceLimitExceeded", "endpoint usage' is 8", sagemaker.create_endpoint, EndpointName="huge", EndpointConfigName="huge"
    )


@test
def models_configurations_and_endpoints_are_described_listed_and_in_use_as_they_were_made():
    model = sagemaker.describe_model(ModelName="near")
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://acceptance/models/near.tar.gz", model
    config = sagemaker.describe_endpoint_config(EndpointConfigName="pair-1-3")
    assert [each["InitialVariantWeight"] for each in config["ProductionVariants"]] == [1.0, 3.0], config
    names = [each["ModelName"] for each in sagemaker.list_models(SortBy="Name", SortOrder="Ascending")["Models"]]
    assert names == ["broken", "far", "gone", "near", "wrong"], names
    configs = sagemaker.list_endpoint_configs(NameContains="pair", SortBy="Name", SortOrder="Ascending")["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in configs] == ["pair-1-3", "pair-only-far"], configs
    listed = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert [each["EndpointName"] for each in listed] == ["pair"], listed
    expect_error("ValidationException", "Cannot create already existing", sagemaker.create_endpoint, EndpointName="pair", EndpointConfigName="pair-1-3")


@test
def an_endpoint_answers_although_its_configuration_and_model_are_deleted():
    sagemaker.delete_endpoint_config(EndpointConfigName="pair-only-far")
    sagemaker.delete_model(ModelName="far")
    assert ask("pair")["InvokedProductionVariant"] == "only"


@test
def an_answer_can_be_streamed():
    stream = runtime.invoke_endpoint_with_response_stream(EndpointName="pair", ContentType="text/csv", Body="1,1,1,1\n" * 500)
    body = b"".join(event["PayloadPart"]["Bytes"] for event in stream["Body"])
    assert len(json.loads(body)["predictions"]) == 500
    assert stream["InvokedProductionVariant"] == "only"


@test
def a_deleted_endpoint_is_gone_and_its_name_is_free_again():
    sagemaker.delete_endpoint(EndpointName="pair")
    until(lambda: sagemaker.list_endpoints(NameContains="pair")["Endpoints"] == [], "pair deleted")
    expect_error("ValidationError", "not found", ask, endpoint="pair")
    sagemaker.delete_endpoint_config(EndpointConfigName="pair-1-3")
    sagemaker.delete_model(ModelName="near")
    serve("near", "s3://acceptance/models/near.tar.gz")
    sagemaker.create_endpoint(EndpointName="pair", EndpointConfigName="near")
    endpoint_settled("pair")
    assert ask("pair")["InvokedProductionVariant"] == "AllTraffic"


@test
def invocations_are_counted_in_cloudwatch():
    def counted():
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[{"Name": "EndpointName", "Value": "pair"}, {"Name": "VariantName", "Value": "far"}],
            StartTime=datetime.now(timezone.utc) - timedelta(hours=1),
            EndTime=datetime.now(timezone.utc) + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"]) >= 250

    until(counted, "counted", seconds=70)


run()
