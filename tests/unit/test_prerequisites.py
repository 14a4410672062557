import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "check-prerequisites.sh"


@pytest.fixture
def programs(tmp_path):
    """A folder that is the whole PATH, with what the script itself needs, and stand-ins for what it looks for."""
    for name in ("sh", "sed", "head"):
        (tmp_path / name).symlink_to(shutil.which(name))
    say(tmp_path, "java", "echo 'openjdk version \"17.0.1\" 2025-01-01' >&2")
    say(tmp_path, "node", "echo v22.1.0")
    say(tmp_path, "npm", "echo 11.0.0")
    return tmp_path


def say(folder, name, command):
    program = folder / name
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)


def check(programs, python=sys.executable):
    environment = {**os.environ, "PATH": str(programs)}
    return subprocess.run(
        ["sh", SCRIPT, python], env=environment, capture_output=True, text=True, check=False
    )


def test_nothing_is_said_where_nothing_is_missing(programs):
    found = check(programs)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "named", "install"),
    [
        ("java", "Java 17 or newer, for Spark (found: none)", "openjdk-17"),
        ("node", "Node.js 20 or newer, for Azurite (found: none)", "nodejs"),
        ("npm", "npm, for Azurite", "apt-get install npm"),
    ],
)
def test_a_missing_program_is_named_with_what_it_is_for_and_how_to_install_it(programs, name, named, install):
    (programs / name).unlink()
    found = check(programs)
    assert found.returncode == 1
    assert f"Missing: {named}" in found.stderr
    assert install in found.stderr


def test_versions_that_are_too_old_are_told(programs):
    say(programs, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    say(programs, "node", "echo v18.19.0")
    found = check(programs)
    assert "found: 11" in found.stderr
    assert "found: 18" in found.stderr


def test_a_python_that_is_not_there_is_told(programs):
    found = check(programs, "python-that-is-not-there")
    assert found.returncode == 1
    assert "python-that-is-not-there" in found.stderr
