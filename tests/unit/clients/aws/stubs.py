"""boto3 clients whose answers come from botocore's own stubber, which checks requests and answers by the model."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.stub import Stubber

REGION = "eu-west-1"


def stubbed_client(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(
        service,
        region_name=REGION,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret-access-key",
        config=Config(retries={"max_attempts": 0}),
    )
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber
