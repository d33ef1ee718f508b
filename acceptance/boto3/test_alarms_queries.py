"""Alarms that act, metric math, queries over logs and their live tail."""
import http.server
import json
import os
import queue
import threading
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from clients import cloudwatch, expect_error, logs, until
from harness import run, test

GROUP = "/app/requests"
TOPIC = "arn:aws:sns:us-west-2:000000000000:alarms"
received = queue.Queue()
address = urlsplit(os.environ["SALVIA_TEST_WEBHOOK"])


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer((address.hostname, address.port), Webhook)
threading.Thread(target=server.serve_forever, daemon=True).start()

alarm = dict(
    AlarmName="errors",
    Namespace="app",
    MetricName="errors",
    Statistic="Sum",
    Period=10,
    EvaluationPeriods=1,
    Threshold=3,
    ComparisonOperator="GreaterThanOrEqualToThreshold",
    TreatMissingData="notBreaching",
    AlarmActions=[TOPIC],
    OKActions=[TOPIC],
)


def state():
    (found,) = cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    return found["StateValue"]


def put(value, **more):
    cloudwatch.put_metric_data(Namespace="app", MetricData=[{"MetricName": "errors", "Value": value, "StorageResolution": 1, **more}])


@test
def an_alarm_turns_and_tells_the_webhook():
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "team", "Value": "red"}])
    until(lambda: state() == "OK", "OK")
    assert received.get(timeout=20)["NewStateValue"] == "OK"
    put(5)
    until(lambda: state() == "ALARM", "in alarm", seconds=40)
    told = received.get(timeout=20)
    assert (told["AlarmName"], told["NewStateValue"], told["OldStateValue"]) == ("errors", "ALARM", "OK"), told
    assert told["Trigger"]["MetricName"] == "errors" and "Threshold Crossed" in told["NewStateReason"], told
    until(lambda: state() == "OK", "OK again", seconds=40)
    history = cloudwatch.describe_alarm_history(AlarmName="errors", HistoryItemType="StateUpdate", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [each["HistorySummary"] for each in history] == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ], history


@test
def a_state_set_by_hand_shows_at_once_and_actions_can_be_off():
    received.get(timeout=20)
    cloudwatch.disable_alarm_actions(AlarmNames=["errors"])
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a drill")
    (found,) = cloudwatch.describe_alarms_for_metric(Namespace="app", MetricName="errors")["MetricAlarms"]
    assert (found["StateValue"], found["StateReason"], found["ActionsEnabled"]) == ("ALARM", "a drill", False), found
    cloudwatch.enable_alarm_actions(AlarmNames=["errors"])
    assert cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["ActionsEnabled"] is True


@test
def tags_and_deletion():
    (found,) = cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    arn = found["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    expect_error("ResourceNotFound", "", cloudwatch.delete_alarms, AlarmNames=["errors"])


@test
def metric_math_answers():
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    for minutes, value in ((3, 10), (2, 20), (1, 60)):
        put(value, Timestamp=end - timedelta(minutes=minutes, seconds=-5), Dimensions=[{"Name": "Host", "Value": "a"}])
    metric = {"Namespace": "app", "MetricName": "errors", "Dimensions": [{"Name": "Host", "Value": "a"}]}
    answer = cloudwatch.get_metric_data(
        StartTime=end - timedelta(minutes=4),
        EndTime=end,
        ScanBy="TimestampAscending",
        MetricDataQueries=[
            {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "rate", "Expression": "RATE(m1) * 60", "Label": "per minute"},
            {"Id": "filled", "Expression": "FILL(m1, 0) / 10"},
            {"Id": "high", "Expression": "IF(m1 > 15, 1, 0)"},
        ],
    )["MetricDataResults"]
    assert [[round(value) for value in each["Values"]] for each in answer] == [[10, 40], [0, 1, 2, 6], [0, 1, 1]], answer
    expect_error("ValidationError", "Unexpected end", cloudwatch.get_metric_data, StartTime=end, EndTime=end + timedelta(1), MetricDataQueries=[{"Id": "e", "Expression": "1 +"}])


def asked(query, **more):
    now = int(time.time())
    started = logs.start_query(logGroupName=GROUP, startTime=now - 3600, endTime=now + 60, queryString=query, **more)
    found = until(lambda: (lambda got: got["status"] == "Complete" and got)(logs.get_query_results(queryId=started["queryId"])), "complete")
    return [{each["field"]: each["value"] for each in row if each["field"] != "@ptr"} for row in found["results"]]


@test
def queries_over_logs():
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="web")
    now = int(time.time() * 1000)
    lines = [{"timestamp": now - 1000 * (100 - at), "message": json.dumps({"path": f"/{at % 3}", "ms": at})} for at in range(90)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="web", logEvents=lines + [{"timestamp": now, "message": "ERROR user=ann took 12 ms"}])
    assert asked("stats count(*) as n, max(ms) as slowest by path | sort path | filter ispresent(path)") == [
        {"path": "/0", "n": "30", "slowest": "87"},
        {"path": "/1", "n": "30", "slowest": "88"},
        {"path": "/2", "n": "30", "slowest": "89"},
    ]
    assert asked("filter @message like /ERR(OR)?/ | parse @message 'user=* took * ms' as who, ms | display who, ms") == [{"who": "ann", "ms": "12"}]
    assert len(asked("fields @timestamp, ms | sort ms desc", limit=5)) == 5
    assert {each["status"] for each in logs.describe_queries(logGroupName=GROUP)["queries"]} == {"Complete"}
    expect_error("MalformedQueryException", "unexpected", logs.start_query, logGroupName=GROUP, startTime=0, endTime=1, queryString="select 1")
    ended = logs.describe_queries()["queries"][0]["queryId"]
    expect_error("InvalidParameterException", "ended", logs.stop_query, queryId=ended)


@test
def the_live_tail_shows_lines_as_they_come():
    arn = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["logGroupArn"]
    # The model puts "stream-" before the host, which an address has no room for.
    tailing = boto3.client("logs", config=Config(inject_host_prefix=False))
    stream = tailing.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="loud")["responseStream"]
    seen = []
    for event in stream:
        if "sessionStart" in event:
            lines = [{"timestamp": int(time.time() * 1000), "message": text} for text in ("loud one", "quiet", "loud two")]
            logs.put_log_events(logGroupName=GROUP, logStreamName="web", logEvents=lines)
            continue
        seen += [each["message"] for each in event["sessionUpdate"]["sessionResults"]]
        if len(seen) >= 2:
            break
    stream.close()
    assert seen == ["loud one", "loud two"], seen


run()
