"""What a training job reads: every way of S3 to name data, every format, keys of every kind."""
import gzip
import json

import numpy as np

from clients import (
    RECORDIO,
    assert_true_centres,
    blobs,
    bucket,
    channel,
    describe,
    ended,
    make_bucket,
    messages,
    put,
    records_read,
    s3,
    start,
    train,
)
from harness import run, test
from records import csv_lines, dense_tensor, sparse_tensor

rows, clusters = blobs(600)


@test
def a_manifest_names_the_objects_and_nothing_else_is_read():
    make_bucket()
    put("manifest/a.pbr", dense_tensor(rows[:100]))
    put("manifest/deep/b.pbr", dense_tensor(rows[100:250]))
    put("manifest/not-named.pbr", dense_tensor(rows))
    manifest = [{"prefix": f"s3://{bucket}/manifest/"}, "a.pbr", "deep/b.pbr"]
    uri = put("list.manifest", json.dumps(manifest))
    done = train("manifest", channel(uri, S3DataType="ManifestFile"))
    assert records_read("manifest", "algo-1") == 250
    assert_true_centres(done)
    source = done["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert source == {"S3DataType": "ManifestFile", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}, source


@test
def five_objects_are_shared_out_over_two_instances_by_key():
    sizes = [100, 50, 110, 60, 120]
    for at, size in enumerate(sizes):
        put(f"sharded/part-{at}", dense_tensor(rows[:size]))
    done = train("sharded", channel(f"s3://{bucket}/sharded/", S3DataDistributionType="ShardedByS3Key"), instances=2)
    read = [records_read("sharded", host) for host in ("algo-1", "algo-2")]
    assert read == [sizes[0] + sizes[2] + sizes[4], sizes[1] + sizes[3]], read
    assert_true_centres(done)


@test
def a_manifest_is_shared_out_too():
    uri = put("sharded.manifest", json.dumps([{"prefix": f"s3://{bucket}/sharded/"}, "part-0", "part-1", "part-2"]))
    source = channel(uri, S3DataType="ManifestFile", S3DataDistributionType="ShardedByS3Key")
    train("sharded-manifest", source, instances=2)
    read = [records_read("sharded-manifest", host) for host in ("algo-1", "algo-2")]
    assert sorted(read) == [50, 210], read


@test
def replicated_data_is_read_whole_by_every_instance():
    assert_true_centres(train("replicated", channel(f"s3://{bucket}/sharded/"), instances=2))
    assert [records_read("replicated", host) for host in ("algo-1", "algo-2")] == [440, 440]


@test
def gzip_objects_are_unpacked_on_the_way():
    put("gzip/a.pbr.gz", gzip.compress(dense_tensor(rows[:300])))
    put("gzip/b.pbr.gz", gzip.compress(dense_tensor(rows[300:])))
    assert_true_centres(train("gzip", channel(f"s3://{bucket}/gzip", CompressionType="Gzip")))
    assert records_read("gzip", "algo-1") == 600


@test
def what_unpacks_to_more_than_the_volume_fails_and_names_the_limit():
    put("bomb/a.csv.gz", gzip.compress(bytes(1_100_000_000), compresslevel=1))
    small = {"InstanceCount": 1, "InstanceType": "ml.c4.xlarge", "VolumeSizeInGB": 1}
    bomb = channel(f"s3://{bucket}/bomb", CompressionType="Gzip")
    failed = ended(start("bomb", bomb, ResourceConfig=small), "Failed")
    assert failed["FailureReason"].startswith("ClientError: "), failed["FailureReason"]
    for part in ("a.csv.gz does not fit", "volume of 1 GB", "VolumeSizeInGB"):
        assert part in failed["FailureReason"], failed["FailureReason"]


@test
def gzip_objects_that_are_not_declared_fail_and_say_why():
    failed = ended(start("gzip-undeclared", channel(f"s3://{bucket}/gzip")), "Failed")
    assert failed["FailureReason"].startswith("ClientError"), failed["FailureReason"]
    assert "gz" in failed["FailureReason"], failed["FailureReason"]


@test
def train_and_test_are_channels_of_different_formats():
    put("channels/train.pbr", dense_tensor(rows))
    put("channels/test.csv", csv_lines(rows[:120]))
    done = train(
        "channels",
        channel(f"s3://{bucket}/channels/train.pbr", ContentType=RECORDIO),
        channel(f"s3://{bucket}/channels/test.csv", "test", ContentType="text/csv;label_size=0"),
    )
    assert records_read("channels", "algo-1") == 600
    assert any("evaluated 120 test records" in message for message in messages("channels"))
    assert [each["ChannelName"] for each in done["InputDataConfig"]] == ["train", "test"]
    (metric,) = done["FinalMetricDataList"]
    assert metric["MetricName"] == "test:msd" and 0.02 < metric["Value"] < 0.06, metric


@test
def a_channel_that_the_algorithm_does_not_have_is_refused_by_name():
    uri = f"s3://{bucket}/channels/train.pbr"
    failed = ended(start("third-channel", channel(uri), channel(uri, "valid")), "Failed")
    assert failed["FailureReason"].startswith("ClientError") and "valid" in failed["FailureReason"], failed


@test
def csv_has_its_labels_first_and_label_size_says_how_many():
    labelled = np.column_stack([1000.0 * clusters, rows])
    put("csv/labelled.csv", csv_lines(labelled))
    put("csv/plain.csv", csv_lines(rows))
    start("csv-one-label", channel(f"s3://{bucket}/csv/labelled.csv", ContentType="text/csv;label_size=1"))
    start("csv-no-label", channel(f"s3://{bucket}/csv/plain.csv", ContentType="text/csv;label_size=0"))
    for job in ("csv-one-label", "csv-no-label"):
        assert_true_centres(ended(job))
        assert records_read(job, "algo-1") == 600


@test
def csv_of_the_wrong_width_fails_with_file_and_line():
    put("csv-wrong/a.csv", csv_lines(rows[:3]) + "1,2,3\n")
    failed = ended(start("csv-wrong", channel(f"s3://{bucket}/csv-wrong/", ContentType="text/csv;label_size=0")), "Failed")
    reason = failed["FailureReason"]
    assert reason.startswith("ClientError") and "a.csv" in reason and "line 4" in reason and "feature_dim" in reason, reason


@test
def recordio_is_read_with_labels_and_sparse():
    put("recordio/labelled.pbr", dense_tensor(rows, clusters))
    put("recordio/sparse.pbr", sparse_tensor(rows * (rows > 1)))
    start("recordio-labelled", channel(f"s3://{bucket}/recordio/labelled.pbr", ContentType=RECORDIO))
    start("recordio-sparse", channel(f"s3://{bucket}/recordio/sparse.pbr", ContentType=RECORDIO))
    for job in ("recordio-labelled", "recordio-sparse"):
        described = ended(job)
        assert records_read(job, "algo-1") == 600
        if job == "recordio-labelled":
            assert_true_centres(described)


@test
def a_prefix_takes_nested_folders_and_what_only_begins_like_it():
    put("prefix/2024/01/a.pbr", dense_tensor(rows[:10]))
    put("prefix/2024/02/a.pbr", dense_tensor(rows[:20]))
    put("prefix/2025/", b"")
    put("prefix-b", dense_tensor(rows[:40]))
    put("prefiy", dense_tensor(rows))
    train("nested", channel(f"s3://{bucket}/prefix/"))
    train("beginning", channel(f"s3://{bucket}/prefix"))
    assert records_read("nested", "algo-1") == 30
    assert records_read("beginning", "algo-1") == 70


@test
def keys_of_every_kind_reach_the_algorithm():
    keys = ["with space", "plus+sign", "per%20cent%", "Ünïcode-数字-🙂", "a&b=c?d#e", "quote'\"", "semi;colon:", "a//b"]
    for at, key in enumerate(keys):
        put(f"odd keys/{key}", dense_tensor(rows[: 10 + at]))
    train("odd-keys", channel(f"s3://{bucket}/odd keys/"))
    assert records_read("odd-keys", "algo-1") == sum(10 + at for at in range(len(keys)))
    manifest = json.dumps([{"prefix": f"s3://{bucket}/odd keys/"}, *keys[:5]], ensure_ascii=False)
    uri = put("odd keys.manifest", manifest.encode())
    train("odd-manifest", channel(uri, S3DataType="ManifestFile"))
    assert records_read("odd-manifest", "algo-1") == sum(10 + at for at in range(5))


@test
def an_object_that_changes_after_the_start_is_read_as_it_was():
    uri = put("changing/a.pbr", dense_tensor(rows))
    start("changing", channel(uri), hyperparameters={"epochs": "20"})
    while describe("changing")["SecondaryStatus"] == "Starting":
        pass
    put("changing/a.pbr", b"not RecordIO at all")
    s3.delete_object(Bucket=bucket, Key="changing/a.pbr")
    assert_true_centres(ended("changing"))


run()
