"""The data source ``cosmos.oltp``: the Cosmos DB Spark connector's name and options over the REST data plane.

Register it with ``spark.dataSource.register(CosmosDataSource)``, in a session whose Python workers can import this
package. A notebook that was written for the connector then runs unchanged.
"""

from typing import Any, NoReturn

from pyspark.sql.datasource import DataSource
from pyspark.sql.types import StructType

from localcloud.databricks.connector.errors import OptionError
from localcloud.databricks.connector.options import parse_options
from localcloud.databricks.connector.reading import SCHEMA, Reader
from localcloud.databricks.connector.writing import Writer


class CosmosDataSource(DataSource):
    """Reads and writes one container, as the connector in gateway mode does."""

    @classmethod
    def name(cls) -> str:
        """Return the connector's name."""
        return "cosmos.oltp"

    def schema(self) -> StructType:
        """Return the columns of a read without inference.

        Raises:
            OptionError: if the schema is to be inferred.
        """
        if parse_options(self.options).infer_schema:
            raise OptionError(
                "The local cloud infers no schema. Set spark.cosmos.read.inferSchema.enabled to false "
                "and parse _rawBody."
            )
        return SCHEMA

    def reader(self, schema: StructType) -> Reader:
        """Return what reads the container.

        Raises:
            OptionError: for an option or a column that is not supported.
        """
        return Reader(parse_options(self.options), schema)

    def writer(self, schema: StructType, overwrite: bool) -> Writer:
        """Return what writes to the container.

        Raises:
            OptionError: for an option, a column or a mode that is not supported.
        """
        if overwrite:
            raise OptionError(
                "The connector does not support the mode overwrite. Use the mode append; whether documents are "
                "overwritten is said by spark.cosmos.write.strategy."
            )
        options = parse_options(self.options)
        if options.ru_per_second is not None:
            raise OptionError(
                "The local cloud supports throughput control of reads only. Leave it out of writes."
            )
        return Writer(options, schema)


class RefusedConnector(DataSource):
    """The connector on a cluster of shared access mode: installed, but Unity Catalog refuses every use.

    https://github.com/Azure/azure-sdk-for-java/issues/45872
    """

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
