from types import SimpleNamespace

from azure.core.exceptions import AzureError

from localcloud.functions_host.durable.store import Store
from localcloud.functions_host.triggers import blob
from localcloud.functions_host.triggers.blob import MOST_TRIES, BlobTrigger

CONNECTION = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;"


async def test_a_blob_that_cannot_be_read_is_tried_five_times_and_never_again(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKE", CONNECTION)
    monkeypatch.setattr(blob, "RETRY_SECONDS", 0)
    function = SimpleNamespace(
        get_trigger=lambda: SimpleNamespace(path="lake/plans/{name}", connection="LAKE")
    )
    app, store = (
        SimpleNamespace(of_type=lambda kind: {"plan_arrived": function}),
        Store(tmp_path / "durable.sqlite"),
    )
    reads, poisoned = [], []

    def refuse(name):
        reads.append(name)
        raise AzureError("archived")

    def trigger():
        files = SimpleNamespace(download_blob=refuse)
        poison = SimpleNamespace(put=lambda *of: poisoned.append(of[2]))
        return BlobTrigger(app, store, "plan_arrived", files, poison)

    first = trigger()
    assert first.is_new("plans/a\nb.json", "1")
    await first.fire("plans/a\nb.json", "1")
    assert (len(reads), poisoned) == (MOST_TRIES, ["plans/a\nb.json"])
    for later in (first, trigger()):
        assert not later.is_new("plans/a\nb.json", "1")
        assert later.is_new("plans/a\nb.json", "2")
