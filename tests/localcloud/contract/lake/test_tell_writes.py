import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from azure.storage.blob import BlobBlock, BlobServiceClient

from localcloud.cloud.processes import start_service, stop_service
from localcloud.common.names import LOOPBACK
from localcloud.lake import connection_string
from tests.contract.polling import wait_until

KEY = base64.b64encode(b"a key for tests only, 32 bytes..").decode()


class Listener(BaseHTTPRequestHandler):
    told: ClassVar[list] = []

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.told.extend(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def told():
    Listener.told = []
    with HTTPServer((LOOPBACK, 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}/", Listener.told
        server.shutdown()


def test_the_lake_tells_of_blobs_that_are_written_whole_and_of_nothing_else(tmp_path, told):
    url, events = told
    environment = {"LOCALCLOUD_LAKE_KEY": KEY, "LOCALCLOUD_LAKE_LISTENER": url}
    lake = start_service("lake", tmp_path, environment=environment)
    try:
        account = BlobServiceClient.from_connection_string(connection_string(lake.url, KEY))
        box = account.create_container("box")
        block = box.get_blob_client("a folder/in blocks ä.json")
        block.stage_block("01", b"part")
        block.commit_block_list([BlobBlock("01")])
        box.get_blob_client("log.jsonl").create_append_blob()
        box.get_blob_client("log.jsonl").append_block(b"line")
        box.get_blob_client("log.jsonl").set_blob_metadata({"a": "b"})
        whole = box.upload_blob("whole.json", b"{}")
        box.delete_blob("log.jsonl")
        wait_until(lambda: len(events) >= 3)
        assert [entry["blob"] for entry in events] == ["a folder/in blocks ä.json", "log.jsonl", "whole.json"]
        assert {entry["container"] for entry in events} == {"box"}
        assert events[2]["etag"].strip('"') == whole.get_blob_properties().etag.strip('"')
    finally:
        stop_service(lake)
