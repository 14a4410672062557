"""The local cloud's commands as programs: their lines, their messages, their exit statuses."""

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios

import pytest
from azure.cosmos import CosmosClient

from localcloud.common.names import LOOPBACK
from tests.contract.polling import HANG_SECONDS, wait_until


def command(*arguments):
    return [sys.executable, "-m", "localcloud", *map(str, arguments)]


def run(*arguments):
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
        env={**os.environ, "COLUMNS": "400"},
    )


@pytest.fixture
def up(tmp_path):
    """Start `up` with further arguments, and return its process and its line of JSON."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            command("up", "--state-folder", tmp_path, "--json", *arguments), stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, json.loads(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_prints_the_endpoints_that_were_asked_for_and_keeps_what_they_hold(up, tmp_path):
    process, line = up("--only", "cosmos,s3")
    assert set(line) == {"cosmos", "s3", "aws_region", "aws_account", "state_folder", "pid"}
    assert line["pid"] == process.pid
    CosmosClient(line["cosmos"]["endpoint"], line["cosmos"]["key"]).create_database("kept")
    assert run("down", "--state-folder", tmp_path).returncode == 0
    assert process.wait(HANG_SECONDS) == 0
    _, again = up("--only", "cosmos,s3")
    assert again["cosmos"] == line["cosmos"]
    databases = CosmosClient(again["cosmos"]["endpoint"], again["cosmos"]["key"]).list_databases()
    assert [database["id"] for database in databases] == ["kept"]


def test_an_interrupt_typed_in_a_terminal_reaches_it_alone_and_ends_all_in_order(tmp_path):
    terminal, its_end = pty.openpty()
    process = subprocess.Popen(
        command("up", "--state-folder", tmp_path, "--json", "--only", "cosmos,lake"),
        stdin=its_end,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    try:
        process.stdout.readline()
        everything = descendants(process.pid)
        assert len(everything) == 3, "two services, and Azurite"
        assert {os.getsid(pid) for pid in everything} == {process.pid}
        os.write(terminal, b"\x03")
        assert process.wait(HANG_SECONDS) == 0
        wait_until(lambda: not any(alive(pid) for pid in everything))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(terminal)
        os.close(its_end)


def test_a_second_one_for_the_same_state_folder_is_refused(up, tmp_path):
    process, _ = up("--only", "cosmos")
    found = run("up", "--state-folder", tmp_path, "--only", "cosmos")
    assert found.returncode == 1
    assert f"runs already, as process {process.pid}" in found.stderr
    assert "d2c local down" in found.stderr


def test_a_service_that_dies_ends_it_with_the_name_of_its_log(tmp_path):
    process = subprocess.Popen(
        command("up", "--state-folder", tmp_path, "--only", "cosmos", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "400"},
    )
    try:
        process.stdout.readline()
        (service,) = children(process.pid)
        os.kill(service, signal.SIGKILL)
        _, errors = process.communicate(timeout=HANG_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "The local cosmos service has ended by itself" in errors
    assert "cosmos.log" in errors


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def descendants(pid):
    return [each for child in children(pid) for each in (child, *descendants(child))]


def alive(pid):
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0


def test_an_occupied_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = run("up", "--state-folder", tmp_path, "--functions-port", port)
    assert found.returncode == 1
    assert "functions_host service did not start" in found.stderr
    assert f"Cannot listen on {LOOPBACK}:{port}" in found.stderr
    assert "choose another port" in found.stderr


def test_an_unknown_service_is_wrong_use(tmp_path):
    found = run("up", "--state-folder", tmp_path, "--only", "cosmos,kafka")
    assert found.returncode == 2
    assert "kafka: not among functions" in found.stderr


def test_the_demo_does_not_empty_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    found = run("demo", "--state-folder", tmp_path)
    assert found.returncode == 1
    assert "thesis.txt" in found.stderr
    assert (tmp_path / "thesis.txt").exists()
