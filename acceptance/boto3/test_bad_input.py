"""Input that nobody can read, and names with tricks in them: each ends in a reason, and the job beside it in a model."""
import json

from clients import assert_true_centres, blobs, bucket, channel, ended, expect_error, make_bucket, put, sagemaker, start, train, training_request
from harness import run, test
from records import dense_tensor

rows, _ = blobs(400)
make_bucket()
uri = put("train/rows.pbr", dense_tensor(rows))


def failed(name, *channels):
    """While a job that is well runs beside it."""
    beside = start(f"{name}-beside", channel(uri))
    reason = ended(start(name, *channels), "Failed")["FailureReason"]
    assert_true_centres(ended(beside))
    assert reason.startswith("ClientError: "), reason
    return reason


@test
def a_channel_s_name_is_no_path():
    for name in ("a/b", "../up", "a b", "/etc"):
        expect_error("ValidationException", "hannelName", sagemaker.create_training_job, **training_request("path", channel(uri, name)))
    # Members of the pattern, and yet folders of another meaning.
    for name in (".", ".."):
        expect_error("ValidationException", f'channel name "{name}"', sagemaker.create_training_job, **training_request("dots", channel(uri, name)))
    assert_true_centres(train("after-tricks", channel(uri)))


@test
def a_manifest_that_is_not_there_is_named():
    missing = f"s3://{bucket}/none.manifest"
    reason = failed("no-manifest", channel(missing, S3DataType="ManifestFile"))
    assert missing in reason, reason


@test
def a_manifest_that_is_no_manifest_is_told_how_it_must_be():
    wrong = {
        "not-json": b"[{",
        "binary": bytes(range(256)),
        "empty": b"",
        "no-list": b'{"prefix": "s3://x/"}',
        "no-prefix": b'["a", "b"]',
        "no-names": json.dumps([{"prefix": f"s3://{bucket}/train/"}, 7]).encode(),
        "null": b"null",
    }
    for name, text in wrong.items():
        manifest = put(f"wrong/{name}.manifest", text)
        reason = failed(f"manifest-{name}", channel(manifest, S3DataType="ManifestFile"))
        assert manifest in reason and 'It must be [{"prefix": "s3://…"}, "key", "key", …]' in reason, reason


@test
def a_manifest_that_names_what_is_not_there_or_no_place_is_told():
    manifest = put("wrong/names.manifest", json.dumps([{"prefix": f"s3://{bucket}/train/"}, "rows.pbr", "gone.pbr"]))
    reason = failed("manifest-names", channel(manifest, S3DataType="ManifestFile"))
    assert "gone.pbr" in reason and manifest in reason, reason
    manifest = put("wrong/place.manifest", json.dumps([{"prefix": "file:///etc/"}, "passwd"]))
    reason = failed("manifest-place", channel(manifest, S3DataType="ManifestFile"))
    assert manifest in reason and "passwd" not in reason, reason


@test
def a_manifest_s_keys_cannot_leave_the_channel_s_folder():
    manifest = put("wrong/leaves.manifest", json.dumps([{"prefix": f"s3://{bucket}/"}, "train/../../../escape"]))
    reason = failed("manifest-leaves", channel(manifest, S3DataType="ManifestFile"))
    assert "train/../../../escape" in reason, reason
    put("train2/../../../../../escape", b"x")
    reason = failed("prefix-leaves", channel(f"s3://{bucket}/train2/"))
    assert "escape" in reason, reason


run()
