"""Starts of one image in SDK 2's local mode (docker compose): for each, ms from fit() to the program's first moment, a line "start N"."""
import contextlib
import io
import os
import re
import sys
import tempfile
import time

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.local import LocalSession

image, program, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-west-2"}
session = LocalSession(boto_session=boto3.Session(**keys))
session.config = {"local": {"local_code": True}}

for _ in range(rounds):
    folder = tempfile.mkdtemp()
    estimator = Estimator(
        image_uri=image,
        role="arn:aws:iam::000000000000:role/SalviaExecutionRole",
        instance_count=1,
        instance_type="local",
        output_path=f"file://{folder}",
        container_entry_point=["python3", "-c", program],
        sagemaker_session=session,
    )
    output = io.StringIO()
    started_ms = time.time_ns() // 1_000_000
    with contextlib.redirect_stdout(output):
        estimator.fit()
    first = re.search(r"\b(\d{13})\b", output.getvalue())
    if not first:
        sys.exit(f"the program's line is not in the output: {output.getvalue()}")
    print("start", int(first[1]) - started_ms, flush=True)
