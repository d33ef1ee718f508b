"""Fetches an object of S3 with the credentials of the task's role: Signature Version 4 (AWS General Reference), standard library only."""
import datetime
import hashlib
import hmac
import json
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request

from salvia.errors import UserError

TIMEOUT_SECONDS = 60


def _credentials():
    url = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if url is None:
        raise UserError("ClientError: this job has no access to S3: it runs with network isolation")
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    request = urllib.request.Request(url, headers={"Authorization": token})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        return json.load(answer)


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _signed_headers(host, path, region, credentials, now):
    """Headers of a GET without a body."""
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-amz-content-sha256": empty,
        "x-amz-date": stamp,
        "x-amz-security-token": credentials["Token"],
    }
    names = ";".join(sorted(headers))
    canonical = "\n".join(["GET", path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, empty])
    scope = f"{day}/{region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials['SecretAccessKey']}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = _hmac(key, part)
    signature = _hmac(key, to_sign).hex()
    credential = f"Credential={credentials['AccessKeyId']}/{scope}"
    headers["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    return headers


def fetch(uri, to):
    """Writes the object `s3://bucket/key` to the file `to`. Raises UserError with S3's own words where it cannot."""
    bucket, _, key = uri[len("s3://"):].partition("/")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3")
    if endpoint is None:
        raise UserError(f"ClientError: cannot fetch {uri}: this job runs with network isolation")
    path = urllib.parse.quote(f"/{bucket}/{key}", safe="/-_.~")
    region = os.environ.get("AWS_REGION", "us-east-1")
    now = datetime.datetime.now(datetime.timezone.utc)
    headers = _signed_headers(urllib.parse.urlsplit(endpoint).netloc, path, region, _credentials(), now)
    request = urllib.request.Request(endpoint.rstrip("/") + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer, open(to, "wb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
    except urllib.error.HTTPError as error:
        text = error.read(2000).decode("utf8", "replace")
        raise UserError(f"ClientError: cannot fetch {uri}: HTTP {error.code} {text}") from error
    except OSError as error:
        raise UserError(f"ClientError: cannot fetch {uri}: {error}") from error
