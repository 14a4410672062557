"""Every command teaches its use: by its help, and in docs/reference/cli.md."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from d2c.cli import app

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text()
HANDED_OVER = {("d2c", "local", "up"), ("d2c", "local", "down"), ("d2c", "demo")}


def walk(command, path):
    """Yield every command of the tree with its path."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


COMMANDS = dict(walk(typer.main.get_command(app), ("d2c",)))
OPTIONS = [
    (path, name)
    for path, command in COMMANDS.items()
    for option in command.params
    for name in (*option.opts, *option.secondary_opts)
    if name.startswith("-")
]


def section(path):
    """Return the page's section on a command: from its heading to the next one of that rank."""
    heading = " ".join(path)
    found = re.search(rf"^## `{re.escape(heading)}[` ].*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def test_the_tree_has_the_commands_that_users_rely_on():
    names = {" ".join(path[1:]) for path in COMMANDS}
    assert names == {
        "", "plan", "check", "start", "status", "report", "cancel", "suspend", "resume", "retry", "rejected", "replay",
        "verify", "map", "canary", "package", "deploy", "subscribe", "demo", "local", "local up", "local down",
    }  # fmt: skip


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != ("d2c", "local")], ids=" ".join)
def test_every_command_has_a_section_in_the_docs(path):
    assert section(path)


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_every_option_is_in_its_commands_section_or_among_the_common_ones(path, option):
    assert f"`{option}" in section(path) + section(("Common options",)) + section(("d2c",))


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in HANDED_OVER], ids=" ".join)
def test_the_help_of_every_command_has_an_example_and_says_what_it_does(run, path):
    result = run(*path[1:], "--help")
    assert result.exit_code == 0
    assert re.search(r"Examples:\n +d2c ", result.stdout)
    assert COMMANDS[path].help


def test_the_docs_name_the_environment_variables_and_every_exit_status():
    assert all(name in PAGE for name in ("`D2C_URL`", "`D2C_KEY`"))
    statuses = re.search(r"^## Exit statuses\n.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[0]
    assert re.findall(r"^\| (\d+) \|", statuses, re.MULTILINE) == ["0", "1", "2", "3", "130"]


def test_the_version_is_the_packages(run):
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"d2c {version('d2c')}\n")


def test_no_command_and_an_unknown_one_are_wrong_use(run):
    assert run().exit_code == 2
    assert run("strat").exit_code == 2
    assert run("status", "--jsn").exit_code == 2
