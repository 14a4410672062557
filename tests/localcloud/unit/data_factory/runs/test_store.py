import pytest

from localcloud.data_factory.runs.store import RunStore

TOKEN = "session-token-of-aws"


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Cancelled"])
def test_no_file_holds_a_secure_parameter_of_a_run_that_has_ended(tmp_path, status):
    store = RunStore(tmp_path / "data_factory.sqlite")
    run = store.create_run("copy", {"token": TOKEN, "export": "e"}, secure=("token",))
    assert store.secure_parameters(run) == {"token": TOKEN}
    assert _files_with_token(tmp_path)
    store.change_run(run, status)
    assert store.secure_parameters(run) == {}
    assert _files_with_token(tmp_path) == []


def _files_with_token(folder):
    return [path.name for path in folder.iterdir() if TOKEN.encode() in path.read_bytes()]
