"""The connector on a cluster of shared access mode: it is there, and Unity Catalog lets nobody use it.

https://github.com/Azure/azure-sdk-for-java/issues/45872
"""

from typing import Any, NoReturn

from pyspark.sql.datasource import DataSource


class RefusedConnector(DataSource):
    """Answers every use as Unity Catalog does."""

    @classmethod
    def name(cls) -> str:
        """Return the format's name."""
        return "cosmos.oltp"

    def schema(self) -> str:
        """Return the columns that are read."""
        return "_rawBody string"

    def reader(self, schema: Any) -> NoReturn:
        """Refuse to read."""
        raise PermissionError(
            "[UC_DATA_SOURCE_NOT_SUPPORTED] Data source v2 are not supported in Unity Catalog. SQLSTATE: 0AKUC"
        )

    def writer(self, schema: Any, overwrite: bool) -> NoReturn:
        """Refuse to write."""
        raise PermissionError(
            "[UC_COMMAND_NOT_SUPPORTED] The command(s): AppendData are not supported in Unity Catalog. SQLSTATE: 0AKUC"
        )
