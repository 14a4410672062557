import os
import subprocess
import sys

import pytest

from localcloud.cloud import lock
from tests.contract.polling import HANG_SECONDS

HOLDER = """
import signal, sys, threading
from pathlib import Path
from localcloud.cloud import lock
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ended.set())
with lock.hold(Path(sys.argv[1])):
    print("held", flush=True)
    ended.wait()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that runs the local cloud of a state folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_only_one_process_runs_a_state_folders_cloud(tmp_path, holder):
    with pytest.raises(lock.AlreadyRunningError, match=f"process {holder.pid}"), lock.hold(tmp_path):
        raise AssertionError("it was held twice")


def test_stopping_asks_that_process_to_end_and_waits_for_it(tmp_path, holder):
    assert lock.stop(tmp_path) == holder.pid
    assert holder.wait(HANG_SECONDS) == 0
    with lock.hold(tmp_path):
        assert (tmp_path / lock.LOCK_FILE).read_text() == str(os.getpid())


def test_a_process_that_has_died_is_not_mistaken_for_another_of_its_number(tmp_path, holder):
    holder.kill()
    holder.wait()
    (tmp_path / lock.LOCK_FILE).write_text(str(os.getpid()))
    assert lock.stop(tmp_path) is None


def test_there_is_nothing_to_stop_where_nothing_ever_ran(tmp_path):
    assert lock.stop(tmp_path) is None


def test_no_other_user_of_the_machine_reads_what_is_kept(tmp_path):
    folder = tmp_path / "state"
    with lock.hold(folder):
        command = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(folder / "of-a-service")]
        subprocess.run(command, check=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"state": 0o700, lock.LOCK_FILE: 0o600, "of-a-service": 0o600}


def test_a_folder_that_others_made_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    with lock.hold(tmp_path):
        assert tmp_path.stat().st_mode & 0o777 == 0o755
