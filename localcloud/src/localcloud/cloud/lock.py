"""Which process runs the local cloud of a state folder: it holds a lock there for as long as it lives."""

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "running.lock"
# The bits of a file's mode that are left out: all of the group and of others.
OTHERS = 0o077
STOP_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.1


class AlreadyRunningError(Exception):
    """The local cloud of this state folder runs already; the text says in which process."""


@contextmanager
def hold(state_folder: Path) -> Iterator[None]:
    """Be the process that runs this state folder's local cloud.

    Raises:
        AlreadyRunningError: if there is another.
    """
    with _owner_only(state_folder), (state_folder / LOCK_FILE).open("a+") as file:
        if not _lock(file.fileno()):
            file.seek(0)
            raise AlreadyRunningError(
                f"The local cloud in {state_folder} runs already, as process {file.read()}. "
                "Stop it with `d2c local down`, or give another --state-folder."
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def _owner_only(state_folder: Path) -> Iterator[None]:
    """Keep what this process and its services write, secrets and data of tables, from other users of the machine."""
    is_own = not state_folder.exists() or (state_folder / LOCK_FILE).exists()
    before = os.umask(OTHERS)
    try:
        state_folder.mkdir(parents=True, exist_ok=True)
        if is_own:
            state_folder.chmod(0o700)
        yield
    finally:
        os.umask(before)


def stop(state_folder: Path) -> int | None:
    """Ask the process that runs a state folder's local cloud to end, wait until it has, and return its id.

    Returns None if there is no such process. The lock decides, so a process id that was reused is safe.

    Raises:
        TimeoutError: if it does not end.
    """
    path = state_folder / LOCK_FILE
    if not path.exists():
        return None
    with path.open("r+") as file:
        if _lock(file.fileno()):
            return None
        pid = int(file.read())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        pause = threading.Event()
        while not _lock(file.fileno()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Process {pid} did not end within {STOP_TIMEOUT_SECONDS:g} seconds.")
            pause.wait(POLL_SECONDS)
    return pid


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
