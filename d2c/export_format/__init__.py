"""Read exports in DynamoDB's format: manifests and data files. Pure functions of bytes."""

from d2c.export_format.data_file import (
    blocks_of,
    decompressed,
    decompressed_pieces,
    lines_of,
    read_blocks,
    read_lines,
)
from d2c.export_format.errors import ExportFormatError, UnfinishedExportError, WrongExportError
from d2c.export_format.manifest import (
    DataFile,
    ExportManifest,
    ManifestSummary,
    md5_base64,
    read_export_manifest,
)

__all__ = [
    "DataFile",
    "ExportFormatError",
    "ExportManifest",
    "ManifestSummary",
    "UnfinishedExportError",
    "WrongExportError",
    "blocks_of",
    "decompressed",
    "decompressed_pieces",
    "lines_of",
    "md5_base64",
    "read_blocks",
    "read_export_manifest",
    "read_lines",
]
