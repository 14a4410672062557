"""Calls made from the OpenAPI document: whatever they are, the app answers as the document says."""

import os
import re

import schemathesis
from schemathesis.config import SchemathesisConfig

from d2c.api.openapi import api_document
from d2c.plan.fields import NAME
from tests.contract.http.conftest import ENDED, KEY, PENDING, TOMORROW
from tests.contract.polling import HANG_SECONDS

INPUTS, SEED = int(os.environ.get("FUZZ_INPUTS", "100")), int(os.environ.get("FUZZ_SEED", "1"))
OPERATIONS = sum(len(operations) for operations in api_document()["paths"].values())
CALLS_EACH = max(INPUTS // OPERATIONS, 5)
WAITS = set(map(str, range(61)))
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": SEED,
        # What stands before the app may add parameters, such as a key of its own; they are ignored.
        "generation": {"max-examples": CALLS_EACH, "database": "none", "allow-extra-parameters": False},
        "phases": {"coverage": {"enabled": INPUTS > 100}},
        "checks": {
            "negative_data_rejection": {"expected-statuses": [400, 401, 404, 409, 413, 415]},
            # What lies between the fields of a plan is in no schema.
            "positive_data_acceptance": {"enabled": False},
            # The Functions host has no route for another method, and answers 404.
            "unsupported_method": {"enabled": False},
        },
    }
)
document = schemathesis.openapi.from_dict(api_document(), config=CONFIG)


@document.hook
def map_path_parameters(context, path_parameters):
    """Ask about a migration that there is, two times of three."""
    identity = str((path_parameters or {}).get("id", ""))
    if re.fullmatch(NAME, identity):
        path_parameters["id"] = (PENDING, ENDED, identity)[len(identity) % 3]
    return path_parameters


@document.hook
def map_body(context, body):
    """Let what is started wait, for nothing is there that it could move."""
    return {"start_at": TOMORROW, **body} if isinstance(body, dict) and "name" in body else body


@document.hook
def map_query(context, query):
    """Wait for no check's end."""
    return {**query, "wait": "0"} if str((query or {}).get("wait")) in WAITS else query


@document.parametrize()
def test_the_app_answers_as_its_document_says(http, case):
    key = {"x-functions-key": KEY}
    case.call_and_validate(base_url=str(http.base_url), headers=key, timeout=HANG_SECONDS)
