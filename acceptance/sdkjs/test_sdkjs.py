"""The AWS SDK for JavaScript 3: walk.ts goes through its clients, this says how far it came."""
import os
import pathlib
import subprocess

from harness import run, test

walk = pathlib.Path(__file__).parent / "walk.ts"
variables = {**os.environ, "AWS_REGION": os.environ["AWS_DEFAULT_REGION"]}
ended = subprocess.run([os.environ["SALVIA_TEST_NODE"], str(walk)], env=variables, capture_output=True, text=True, timeout=300)
done = {line.removeprefix("done ") for line in ended.stdout.splitlines()}


def came_through(part):
    assert part in done, (ended.stdout + ended.stderr)[-3000:]


@test
def identities_and_their_errors():
    came_through("identities")


@test
def objects_parts_ranges_and_pages():
    came_through("objects")


@test
def a_job_trains_and_is_waited_for():
    came_through("training")


@test
def an_endpoint_answers():
    came_through("hosting")


@test
def lines_queries_metrics_math_and_alarms():
    came_through("logs and metrics")


@test
def the_live_tail():
    came_through("live tail")


run()
