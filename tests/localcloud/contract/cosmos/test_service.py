"""The service as a process."""

import pytest

from localcloud.cloud.processes import ServiceFailedError, start_service
from tests.localcloud.contract.cosmos_account import KEY


def test_without_a_key_the_service_does_not_start(tmp_path, monkeypatch):
    monkeypatch.delenv("LOCALCLOUD_COSMOS_KEY", raising=False)
    with pytest.raises(ServiceFailedError, match="Set LOCALCLOUD_COSMOS_KEY"):
        start_service("cosmos", tmp_path)


def test_a_port_that_is_taken_is_named(account, tmp_path):
    port = int(account.url.rsplit(":", 1)[1])
    with pytest.raises(ServiceFailedError, match=f"Cannot listen on 127.0.0.1:{port}"):
        start_service("cosmos", tmp_path, port=port, environment={"LOCALCLOUD_COSMOS_KEY": KEY})
