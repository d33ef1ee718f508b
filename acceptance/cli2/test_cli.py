"""The aws CLI, version 2, by --endpoint-url: releases before 2.13 do not know AWS_ENDPOINT_URL."""
from aws_cli import aws, everything
from harness import run


def it_is_version_2():
    assert aws("--version").startswith("aws-cli/2.")


run([it_is_version_2, *everything])
