"""SelectObjectContent and the events of buckets, as boto3 uses them."""
import gzip
import http.server
import json
import os
import queue
import threading
from urllib.parse import urlsplit

from clients import bucket, expect_error, make_bucket, s3
from harness import run, test

csv_input = {"CSV": {"FileHeaderInfo": "USE"}, "CompressionType": "NONE"}


def select(key, expression, given=csv_input, output={"CSV": {}}):
    """(result, kinds of events)"""
    answer = s3.select_object_content(
        Bucket=bucket, Key=key, Expression=expression, ExpressionType="SQL", InputSerialization=given, OutputSerialization=output
    )
    events = list(answer["Payload"])
    result = b"".join(each["Records"]["Payload"] for each in events if "Records" in each)
    return result.decode(), [next(iter(each)) for each in events]


@test
def csv_and_json_are_selected_from_by_sql():
    make_bucket()
    rows = "".join(f"{number},name {number},{number % 7}\n" for number in range(20_000))
    s3.put_object(Bucket=bucket, Key="rows.csv", Body=f"id,name,day\n{rows}")
    assert select("rows.csv", "SELECT COUNT(*), MAX(CAST(s.id AS INT)) FROM S3Object s WHERE s.day = '3'")[0] == "2857,19995\n"
    result, kinds = select("rows.csv", "SELECT s.name FROM S3Object s")
    assert result.count("\n") == 20_000 and kinds[-2:] == ["Stats", "End"] and kinds.count("Records") > 1, kinds
    packed = gzip.compress(b'{"a":{"b":1},"c":"x"}\n{"a":{"b":2},"c":"y"}\n')
    s3.put_object(Bucket=bucket, Key="lines.json.gz", Body=packed)
    given = {"JSON": {"Type": "LINES"}, "CompressionType": "GZIP"}
    assert select("lines.json.gz", "SELECT s.a.b, s.c FROM S3Object s WHERE s.a.b > 1", given, {"JSON": {}})[0] == '{"b":2,"c":"y"}\n'
    arguments = dict(Bucket=bucket, Key="rows.csv", ExpressionType="SQL", InputSerialization=csv_input, OutputSerialization={"CSV": {}})
    expect_error("ParseUnexpectedToken", "", s3.select_object_content, Expression="SELECT FROM S3Object", **arguments)
    expect_error("NoSuchKey", "", s3.select_object_content, Expression="SELECT * FROM S3Object", **{**arguments, "Key": "none"})


received = queue.Queue()


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@test
def events_of_a_bucket_reach_the_webhook():
    address = urlsplit(os.environ["SALVIA_TEST_WEBHOOK"])
    server = http.server.HTTPServer((address.hostname, address.port), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    topic = "arn:aws:sns:us-west-2:000000000000:uploads"
    rules = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}
    configuration = {"TopicConfigurations": [{"Id": "in", "TopicArn": topic, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], "Filter": rules}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    given = s3.get_bucket_notification_configuration(Bucket=bucket)["TopicConfigurations"]
    assert [each["TopicArn"] for each in given] == [topic]
    assert received.get(timeout=20)["Event"] == "s3:TestEvent"
    s3.put_object(Bucket=bucket, Key="out/x", Body=b"x")
    s3.put_object(Bucket=bucket, Key="in/a b", Body=b"12345")
    s3.delete_object(Bucket=bucket, Key="in/a b")
    records = [received.get(timeout=20)["Records"][0] for _ in range(2)]
    assert [each["eventName"] for each in records] == ["ObjectCreated:Put", "ObjectRemoved:Delete"], records
    told = records[0]["s3"]
    assert (told["bucket"]["name"], told["object"]["key"], told["object"]["size"]) == (bucket, "in/a+b", 5)
    server.shutdown()
    assert received.empty()


run()
