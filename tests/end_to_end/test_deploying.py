"""`d2c deploy` against the local cloud, as whoever deploys runs it."""

import json

from typer.testing import CliRunner

from d2c.cli import app
from localcloud.cloud.app_settings import deployment_settings
from localcloud.cloud.services import files_folder
from localcloud.common.names import NOTEBOOK_PATH
from tests.end_to_end.user import User


def d2c(user: User, *arguments: str) -> tuple[int, dict]:
    trust = user.cloud.certificates.trust_environment()
    environment = {**deployment_settings(user.cloud.identity), **trust}
    result = CliRunner().invoke(app, list(arguments), env=environment)
    return result.exit_code, json.loads(result.stdout)


def test_a_deployment_that_somebody_spoilt_is_found_put_right_and_migrates(user):
    assert d2c(user, "deploy", "--json")[1]["changed"] == 0
    notebook = files_folder(user.cloud.state_folder) / f"{NOTEBOOK_PATH.lstrip('/')}.py"
    notebook.write_text("# Databricks notebook source\nraise RuntimeError('spoilt')\n")
    status, found = d2c(user, "deploy", "--check", "--json")
    assert (status, [each["thing"] for each in found["differences"]]) == (1, [f"notebook {NOTEBOOK_PATH}"])

    status, done = d2c(user, "deploy", "--json")
    assert (status, done["changed"]) == (0, 1)
    assert d2c(user, "deploy", "--check", "--json") == (0, {"differences": []})
    user.create_table("Deployed", [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}])
    plan = {
        "name": "deployed",
        "database": "deployed",
        "region": "eu-west-1",
        "tables": [{"table": "Deployed"}],
    }
    migration = user.start(plan)["id"]
    assert user.ended(migration)["state"] == "succeeded"
