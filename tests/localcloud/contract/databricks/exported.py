"""A copied export in the lake, and a request to assess it, as the app would have left them."""

import json

from d2c.load_run.request import LoadRequest, RequestList
from localcloud.aws.api.export_files import ExportDescription, export_objects
from tests.localcloud.contract.databricks.conftest import LAKE

TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Music"
EXPORT_ARN = f"{TABLE_ARN}/export/01780000000123-a1b2c3d4"


def put_export(lake, folder, items):
    """Write an export's files to a folder of the lake; return the names of its data files with items."""
    export = ExportDescription(
        export_arn=EXPORT_ARN,
        table_arn=TABLE_ARN,
        table_id="0f1e2d3c",
        start_time="2026-11-24T10:00:00.000Z",
        end_time="2026-11-24T10:05:00.000Z",
        export_time="2026-11-24T10:00:00.000Z",
        bucket="exports",
        prefix=None,
        billed_size_bytes=0,
    )
    for key, content in export_objects(export, items):
        lake.upload_blob(f"{folder}/export/{key.removeprefix(export.folder + '/')}", content, overwrite=True)


def put_request(lake, folder, **changes):
    """Write a load request for the export in a folder; return its path as a list has it."""
    request = LoadRequest(
        **{
            "migration": "m",
            "table": "Music",
            "table_arn": TABLE_ARN,
            "export_arn": EXPORT_ARN,
            "stages": ("assess",),
            "export_folder": f"{LAKE}/{folder}/export",
            "result_folder": f"{LAKE}/{folder}/load-1",
            "hash_key": "Artist",
            "range_key": "Song",
            "ttl_attribute": None,
            "rules_history": ({},),
            "max_rejected_items": 0,
            "verify": "full",
            "cosmos_endpoint": "http://127.0.0.1:9",
            "cosmos_auth": "MasterKey",
            "secret_scope": "d2c",
            "database": "shop",
            "container": "music",
            **changes,
        }
    )
    lake.upload_blob(f"{folder}/load-1/request.json", request.to_json(), overwrite=True)
    return f"{LAKE}/{folder}/load-1/request.json"


def put_request_list(lake, folder, requests, entries=()):
    """Write a list of requests, and the log of their unit; return its path as the notebook takes it."""
    lake.upload_blob(f"{folder}/unit.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries))
    asked = RequestList(requests=tuple(requests), log=f"{LAKE}/{folder}/unit.jsonl")
    lake.upload_blob(f"{folder}/requests.json", asked.to_json())
    return f"{LAKE}/{folder}/requests.json"
