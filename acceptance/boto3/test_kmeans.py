"""k-means as its documentation and SDK describe it: every hyperparameter of the wire, its metrics, every format of its answers."""
import io
import json
import tarfile

import numpy as np

from clients import (
    RECORDIO,
    TRUE_CENTRES,
    assert_true_centres,
    blobs,
    bucket,
    centres_of,
    channel,
    describe,
    ended,
    expect_error,
    make_bucket,
    messages,
    metrics_of,
    put,
    runtime,
    serve,
    start,
    train,
)
from harness import digits, run, test
from records import csv_lines, dense_tensor, labels_of, sparse_tensor, write_ndarray

rows, clusters = blobs(1000)
held_rows, held_clusters = blobs(200, seed=2)
state = {}


def data(job_channel="train"):
    return channel(f"s3://{bucket}/{job_channel}.pbr", job_channel)


@test
def every_hyperparameter_of_the_wire_is_taken_and_used():
    make_bucket()
    put("train.pbr", dense_tensor(rows))
    put("test.pbr", dense_tensor(held_rows))
    values = {
        "init_method": "random",
        "local_lloyd_max_iter": "100",
        "local_lloyd_tol": "0.001",
        "local_lloyd_num_trials": "3",
        "local_lloyd_init_method": "kmeans++",
        "half_life_time_size": "500",
        "epochs": "4",
        "extra_center_factor": "auto",
        "eval_metrics": '["ssd","msd"]',
        "force_dense": "False",
        "mini_batch_size": "100",
    }
    done = train("all-values", data(), data("test"), hyperparameters=values)
    assert done["HyperParameters"] == {"k": "4", "feature_dim": "4", **values}
    assert_true_centres(done)
    text = "\n".join(messages("all-values"))
    assert "epoch 3 read 1000 records in 10 batches" in text and "epoch 4" not in text, text
    assert "the best of 3 trials" in text, text
    state["job"] = done


@test
def both_metrics_are_those_of_the_model_on_the_test_data():
    metrics = metrics_of(state["job"])
    assert set(metrics) == {"test:msd", "test:ssd"}, metrics
    centres = centres_of(state["job"]).astype("float64")
    squares = ((held_rows[:, None, :].astype("float64") - centres[None]) ** 2).sum(axis=2).min(axis=1)
    assert abs(metrics["test:ssd"] - squares.sum()) < 1e-3 * squares.sum(), metrics
    assert abs(metrics["test:msd"] - squares.mean()) < 1e-3 * squares.mean(), metrics
    definitions = state["job"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert [each["Name"] for each in definitions] == ["test:msd", "test:ssd"], definitions


@test
def one_metric_can_be_chosen():
    done = train("only-ssd", data(), data("test"), hyperparameters={"eval_metrics": '["ssd"]'})
    assert set(metrics_of(done)) == {"test:ssd"}, done["FinalMetricDataList"]


@test
def random_starts_give_a_model_too_though_not_always_the_best():
    values = {"init_method": "random", "local_lloyd_init_method": "random", "local_lloyd_num_trials": "20"}
    assert_true_centres(train("random-starts", data(), hyperparameters=values))


@test
def more_epochs_and_better_starts_do_not_make_digits_worse():
    pixels, labels, held, _ = digits()
    put("digits.pbr", dense_tensor(pixels, labels))
    put("digits-test.pbr", dense_tensor(held))
    both = [channel(f"s3://{bucket}/digits.pbr"), channel(f"s3://{bucket}/digits-test.pbr", "test")]
    shared = {"k": "10", "feature_dim": "784", "mini_batch_size": "500"}
    start("digits-plain", *both, hyperparameters=shared)
    start("digits-epochs", *both, hyperparameters={**shared, "epochs": "5", "extra_center_factor": "20"})
    plain, longer = (metrics_of(ended(job))["test:msd"] for job in ("digits-plain", "digits-epochs"))
    assert longer < 1.01 * plain, (longer, plain)


@test
def values_out_of_range_fail_and_name_themselves():
    wrong = {
        "k": "0",
        "feature_dim": "-1",
        "epochs": "1.5",
        "init_method": "guess",
        "extra_center_factor": "manual",
        "local_lloyd_tol": "2",
        "local_lloyd_num_trials": "none",
        "eval_metrics": '["accuracy"]',
        "half_life_time_size": "-5",
        "force_dense": "perhaps",
        "learning_rate": "0.1",
    }
    for name, value in wrong.items():
        job = "wrong-" + name.replace("_", "-")
        start(job, data(), hyperparameters={name: value})
    for name in wrong:
        reason = ended("wrong-" + name.replace("_", "-"), "Failed")["FailureReason"]
        assert reason.startswith("ClientError") and name in reason, (name, reason)


@test
def a_missing_hyperparameter_and_too_few_records_fail_in_words():
    reason = ended(start("too-few", data(), hyperparameters={"k": "2000"}), "Failed")["FailureReason"]
    assert "1000 records" in reason and "k=2000" in reason, reason
    start("no-k", data(), HyperParameters={"feature_dim": "4"})
    reason = ended("no-k", "Failed")["FailureReason"]
    assert reason.startswith("ClientError") and "k" in reason, reason
    assert describe("no-k")["SecondaryStatus"] == "Failed"


@test
def the_model_goes_into_service():
    serve("kmeans", state["job"]["ModelArtifacts"]["S3ModelArtifacts"])


def ask(body, content_type, accept=None):
    """The body of the answer, and its content type."""
    more = {"Accept": accept} if accept else {}
    answer = runtime.invoke_endpoint(EndpointName="kmeans", ContentType=content_type, Body=body, **more)
    return answer["Body"].read(), answer["ContentType"]


def check(predictions):
    """(closest cluster, distance) of each held-out row, against the model."""
    assert len(predictions) == 200
    centres = centres_of(state["job"])
    closest = np.array([int(prediction[0]) for prediction in predictions])
    distances = np.array([prediction[1] for prediction in predictions])
    assert (np.abs(centres[closest] - TRUE_CENTRES[held_clusters]).max(axis=1) < 0.1).all()
    wanted = np.sqrt(((held_rows - centres[closest]) ** 2).sum(axis=1))
    assert np.abs(distances - wanted).max() < 1e-3, np.abs(distances - wanted).max()


def pairs(objects):
    return [(each["closest_cluster"], each["distance_to_cluster"]) for each in objects]


REQUESTS = {
    "text/csv": lambda: csv_lines(held_rows),
    "text/csv;label_size=1": lambda: csv_lines(np.column_stack([held_clusters, held_rows])),
    "application/json": lambda: json.dumps({"instances": [{"features": row.tolist()} for row in held_rows]}),
    "application/jsonlines": lambda: "\n".join(json.dumps({"features": row.tolist()}) for row in held_rows),
    RECORDIO: lambda: dense_tensor(held_rows),
}


@test
def rows_are_understood_in_every_content_type():
    for content_type, body in REQUESTS.items():
        answer, answered = ask(body(), content_type)
        assert answered == "application/json", (content_type, answered)
        check(pairs(json.loads(answer)["predictions"]))


@test
def json_of_the_other_shapes_is_understood_too():
    values = [{"data": {"features": {"values": row.tolist()}}} for row in held_rows]
    check(pairs(json.loads(ask(json.dumps({"instances": values}), "application/json")[0])["predictions"]))
    sparse = [
        {"data": {"features": {"keys": [0, 1, 2, 3], "shape": [4], "values": row.tolist()}}} for row in held_rows
    ]
    check(pairs(json.loads(ask(json.dumps({"instances": sparse}), "application/json")[0])["predictions"]))
    check(pairs(json.loads(ask(sparse_tensor(held_rows), RECORDIO)[0])["predictions"]))


@test
def answers_come_in_the_type_that_is_accepted():
    body = csv_lines(held_rows)
    answer, answered = ask(body, "text/csv", "application/json")
    assert answered == "application/json" and answer.startswith(b'{"predictions": [{"closest_cluster": '), answer[:80]
    assert isinstance(json.loads(answer)["predictions"][0]["closest_cluster"], float)
    check(pairs(json.loads(answer)["predictions"]))
    answer, answered = ask(body, "text/csv", "application/jsonlines")
    assert answered == "application/jsonlines"
    check(pairs(json.loads(line) for line in answer.decode().splitlines()))
    answer, answered = ask(body, "text/csv", "text/csv")
    assert answered.startswith("text/csv")
    check([tuple(float(value) for value in line.split(",")) for line in answer.decode().splitlines()])
    answer, answered = ask(body, "text/csv", RECORDIO)
    assert answered == RECORDIO
    records = labels_of(answer)
    assert all(set(record) == {"closest_cluster", "distance_to_cluster"} for record in records)
    check([(record["closest_cluster"][0], record["distance_to_cluster"][0]) for record in records])


@test
def what_cannot_be_answered_says_so_with_its_status():
    row = csv_lines(held_rows[:1])
    wrong = [
        (415, {"ContentType": "image/png", "Body": b"x"}),
        (406, {"ContentType": "text/csv", "Body": row, "Accept": "image/png"}),
        (400, {"ContentType": "text/csv", "Body": "1,2,x,4"}),
        (400, {"ContentType": "text/csv", "Body": "1,2,3"}),
        (400, {"ContentType": "text/csv", "Body": ""}),
        (400, {"ContentType": "application/json", "Body": '{"rows": []}'}),
        (400, {"ContentType": RECORDIO, "Body": b"\x01\x02\x03\x04\x05\x06\x07\x08"}),
    ]
    for status, arguments in wrong:
        response = expect_error("ModelError", str(status), runtime.invoke_endpoint, EndpointName="kmeans", **arguments)
        assert response["OriginalStatusCode"] == status, (arguments, response)
        assert response["OriginalMessage"] and "/aws/sagemaker/Endpoints/kmeans" in response["LogStreamArn"], response


@test
def a_model_made_elsewhere_is_served_as_well():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        content = write_ndarray(TRUE_CENTRES)
        member = tarfile.TarInfo("model_algo-1")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    serve("elsewhere", put("elsewhere/model.tar.gz", packed.getvalue()))
    answer = runtime.invoke_endpoint(EndpointName="elsewhere", ContentType="text/csv", Body="0,20,0,3\n0,0,31,0")
    assert pairs(json.loads(answer["Body"].read())["predictions"]) == [(2.0, 3.0), (3.0, 1.0)]


run()
