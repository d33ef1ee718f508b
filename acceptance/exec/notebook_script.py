"""A script as people have them for AWS: it names no endpoint, and some of its hosts are hard-coded by the SDK or by itself."""
import boto3
import requests
import sagemaker

session = sagemaker.Session()
role = sagemaker.get_execution_role()
assert role.endswith(":role/SalviaExecutionRole"), role
bucket = session.default_bucket()
account = boto3.client("sts").get_caller_identity()["Account"]
assert bucket == f"sagemaker-{session.boto_region_name}-{account}", bucket
assert boto3.client("iam").get_role(RoleName=role.split("/")[-1])["Role"]["Arn"] == role

uri = sagemaker.s3.S3Uploader.upload_string_as_file_body("digits", f"s3://{bucket}/data/digits.txt")
assert sagemaker.s3.S3Downloader.read_file(uri) == "digits"

# Virginia's endpoint and name, whatever the variables say.
virginia = boto3.client("s3", region_name="us-east-1", endpoint_url="https://s3.us-east-1.amazonaws.com")
virginia.create_bucket(Bucket="virginia.with.dots")
body = bytes(range(256)) * 40_000
virginia.put_object(Bucket="virginia.with.dots", Key="a key/ü", Body=body)
url = virginia.generate_presigned_url("get_object", Params={"Bucket": "virginia.with.dots", "Key": "a key/ü"})
assert url.startswith("https://s3.us-east-1.amazonaws.com/virginia.with.dots/"), url
answer = requests.get(url, timeout=60)
assert answer.status_code == 200 and answer.content == body, answer.status_code
assert requests.get(url.replace("Signature=", "Signature=A"), timeout=60).status_code == 403

# The regional endpoint of sts, the global one, and a bucket in front of the name.
for host in ("sts.eu-west-1.amazonaws.com", "sts.amazonaws.com"):
    arn = boto3.client("sts", endpoint_url=f"https://{host}").get_caller_identity()["Arn"]
    assert ":assumed-role/SalviaExecutionRole/" in arn, arn
assert requests.get(f"https://{bucket}.s3.us-west-2.amazonaws.com/data/digits.txt", timeout=60).status_code == 403
print("done", role)
