import json
import socket
import stat

from localcloud.cloud.identity import IDENTITY_FILE, PORTS, load_identity
from localcloud.common.names import LOOPBACK

SECRETS = (
    "lake_key",
    "host_storage_key",
    "cosmos_key",
    "management_token",
    "databricks_token",
    "aws_secret_key",
    "token_signing_key",
    "credentials_key",
)


def test_a_state_folder_keeps_its_ports_and_secrets(tmp_path):
    assert load_identity(tmp_path) == load_identity(tmp_path)


def test_two_state_folders_share_no_secret(tmp_path):
    first, second = load_identity(tmp_path / "a"), load_identity(tmp_path / "b")
    assert not {getattr(first, name) for name in SECRETS} & {getattr(second, name) for name in SECRETS}


def test_each_service_has_a_port_of_its_own(tmp_path):
    ports = load_identity(tmp_path).ports
    assert ports.keys() == set(PORTS)
    assert len(set(ports.values())) == len(PORTS)


def test_a_port_that_somebody_else_took_meanwhile_is_replaced(tmp_path):
    before = load_identity(tmp_path)
    with socket.socket() as taken:
        taken.bind((LOOPBACK, before.ports["cosmos"]))
        taken.listen()
        after = load_identity(tmp_path)
    assert after.ports["cosmos"] != before.ports["cosmos"]
    assert after.cosmos_key == before.cosmos_key


def test_a_port_that_is_asked_for_is_kept(tmp_path):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert load_identity(tmp_path, functions_port=port).ports["functions_host"] == port


def test_secrets_are_readable_for_their_owner_only_and_not_in_the_text_form(tmp_path):
    identity = load_identity(tmp_path)
    assert stat.S_IMODE((tmp_path / IDENTITY_FILE).stat().st_mode) == 0o600
    assert not [name for name in SECRETS if getattr(identity, name) in repr(identity)]


def test_a_folder_of_an_earlier_version_gets_what_came_later_and_keeps_the_rest(tmp_path):
    first = load_identity(tmp_path)
    path = tmp_path / IDENTITY_FILE
    kept = json.loads(path.read_text())
    del kept["credentials_key"]
    path.write_text(json.dumps({**kept, "aws_key_id": "of an earlier version"}))
    second = load_identity(tmp_path)
    assert second.credentials_key
    assert (second.lake_key, second.token_signing_key) == (first.lake_key, first.token_signing_key)
