import itertools

from localcloud.aws.api import export_files
from localcloud.aws.api.export_files import ExportDescription, export_objects

EXPORT = ExportDescription(
    export_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/Music/export/01780000000123-a1b2c3d4",
    table_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/Music",
    table_id="0f1e2d3c",
    start_time="2026-11-24T10:00:00.000Z",
    end_time="2026-11-24T10:05:00.000Z",
    export_time="2026-11-24T10:00:00.000Z",
    bucket="exports",
    prefix=None,
)


def test_a_file_is_written_before_all_items_were_read(monkeypatch):
    monkeypatch.setattr(export_files, "ITEMS_PER_FILE", 10)
    numbers = itertools.count()
    objects = export_objects(EXPORT, ({"k": {"N": str(number)}} for number in numbers))
    keys = [key for key, _ in itertools.islice(objects, 5)]
    assert all(key.startswith(f"{EXPORT.folder}/data/") for key in keys)
    assert next(numbers) < 5 * 10 * export_files.FILLED_FILES
