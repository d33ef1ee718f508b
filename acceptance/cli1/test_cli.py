"""The aws CLI, version 1, by AWS_ENDPOINT_URL."""
from aws_cli import everything
from harness import run

run(everything)
