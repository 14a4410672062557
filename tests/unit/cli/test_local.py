import os
import sys
from pathlib import Path

import pytest

import d2c
from d2c.cli.commands.local import hand_over
from d2c.errors import D2CError

CHECKOUT = Path(d2c.__file__).parents[1]


@pytest.fixture
def execute():
    def execute(program, arguments, environment):
        execute.calls.append((program, arguments, environment))
        raise SystemExit(7)

    execute.calls = []
    return execute


@pytest.mark.parametrize(
    ("arguments", "passed_on"),
    [
        (["local", "up"], ["up"]),
        (["local", "up", "--only", "lake,cosmos", "--json"], ["up", "--only", "lake,cosmos", "--json"]),
        (["local", "up", "--help"], ["up", "--help"]),
        (["local", "down", "--state-folder=x", "-v"], ["down", "--state-folder=x", "-v"]),
        (["demo", "first", "--second", "third"], ["demo", "first", "--second", "third"]),
    ],
)
def test_the_local_clouds_program_gets_everything_that_follows(run, execute, arguments, passed_on):
    result = run(*arguments, execute=execute)
    assert result.exit_code == 7
    program, command_line, _ = execute.calls[0]
    assert program == sys.executable
    assert command_line == [sys.executable, "-m", "localcloud", *passed_on]


def test_the_checkouts_local_cloud_comes_first_where_python_looks(run, execute, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("SOMETHING", "else")
    run("demo", execute=execute)
    environment = execute.calls[0][2]
    assert environment["PYTHONPATH"] == os.pathsep.join([str(CHECKOUT / "localcloud" / "src"), "/elsewhere"])
    assert environment["SOMETHING"] == "else"


def test_without_a_checkout_the_way_to_one_is_told(tmp_path, execute):
    with pytest.raises(D2CError, match="Clone the project, run `make setup`") as refused:
        hand_over("up", [], execute, tmp_path / "site-packages" / "d2c")
    assert "part of a checkout" in refused.value.detail
    assert execute.calls == []


def test_the_commands_without_a_checkout_end_with_1(run, execute, monkeypatch, tmp_path):
    monkeypatch.setattr(d2c, "__file__", str(tmp_path / "d2c" / "__init__.py"))
    result = run("local", "up", "--json", execute=execute)
    assert result.exit_code == 1
    assert result.stderr.startswith("The local cloud is not installed: ")
    assert result.stdout.startswith('{"error": ')


def test_the_groups_own_help_lists_its_commands(run):
    result = run("local", "--help")
    assert result.exit_code == 0
    assert "up " in result.stdout
    assert "down " in result.stdout
