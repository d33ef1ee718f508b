"""A test runner in twenty lines: functions in the order of their definition, one line each, and the closing count."""
import io
import os
import sys
import tarfile
import time
import traceback


class Skipped(Exception):
    """Raised with the reason by a test that cannot run on this machine."""


registered = []
cleanups = []


def test(function):
    """Marks a test; `run()` runs them in the order of their definition."""
    registered.append(function)
    return function


def after_failure(function):
    """Marks what is to be called after each test that failed."""
    cleanups.append(function)
    return function


def run(tests=registered):
    passed = failed = skipped = 0
    for test in tests:
        name = test.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            test()
            passed += 1
            print(f"  ✓ {name} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skipped as reason:
            skipped += 1
            print(f"  - skipped: {name}: {reason}", flush=True)
        except Exception:
            failed += 1
            print(f"  ✗ {name}\n{traceback.format_exc()}", flush=True)
            for cleanup in cleanups:
                cleanup()
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    sys.exit(1 if failed else 0)


def until(question, what, seconds=30, every=0.05):
    """Waits for a true answer and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"after {seconds} s still not {what}"
        time.sleep(every)


def end_of(describe, seconds=300, **job):
    """A job's description once it has ended, however: `end_of(client.describe_training_job, TrainingJobName="it")`."""
    ((member, name),) = job.items()
    status = member.removesuffix("Name") + "Status"

    def ended():
        described = describe(**job)
        return described[status] not in ("InProgress", "Stopping") and described

    return until(ended, f"the end of {name}", seconds, every=0.2)


def files_of(s3, uri):
    """{name: bytes} of the files in the tar.gz that lies at an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers() if member.isfile()}


def digits():
    """(train pixels, train labels, held-out pixels, held-out labels) as float32 (n, 784) and int64 (n,)."""
    import numpy as np

    folder = os.environ["SALVIA_TEST_DIGITS"]
    pixels = np.fromfile(os.path.join(folder, "digits.f32"), dtype="<f4").reshape(-1, 784)
    labels = np.fromfile(os.path.join(folder, "digits.u8"), dtype="u1").astype("int64")
    return pixels[:8000], labels[:8000], pixels[8000:], labels[8000:]


def purity(clusters, labels):
    """Share of rows whose label is the commonest one of their cluster."""
    import numpy as np

    right = 0
    for cluster in np.unique(clusters):
        right += np.bincount(labels[clusters == cluster]).max()
    return right / len(labels)
