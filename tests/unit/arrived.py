"""Exports as others copy them into the lake."""

from localcloud.aws.api.export_files import ExportDescription, export_objects

REGION = "eu-west-1"
EXPORT_ID = "01780000000123-a1b2c3d4"
FOLDER = f"exports/from-the-other-team/2026-06/AWSDynamoDB/{EXPORT_ID}"
ITEMS = [{"pk": {"S": f"k{number}"}} for number in range(7)]


def table_arn(table="Music", region=REGION, account="111122223333"):
    return f"arn:aws:dynamodb:{region}:{account}:table/{table}"


def export_files(
    table="Music",
    region=REGION,
    *,
    export_id=EXPORT_ID,
    bucket="their-bucket",
    prefix=None,
    time="2026-06-01T12:00:00.000Z",
):
    """Return the files of an export by their names in its folder, in the order in which DynamoDB writes them."""
    arn = table_arn(table, region)
    export = ExportDescription(
        export_arn=f"{arn}/export/{export_id}",
        table_arn=arn,
        table_id="0123",
        start_time=time,
        end_time=time,
        export_time=time,
        bucket=bucket,
        prefix=prefix,
        billed_size_bytes=700,
    )
    return {key.removeprefix(f"{export.folder}/"): content for key, content in export_objects(export, ITEMS)}


def put_export(lake, folder=FOLDER, **export):
    """Put an export into a folder of the lake."""
    for name, content in export_files(**export).items():
        lake.write(f"{folder}/{name}", content)
