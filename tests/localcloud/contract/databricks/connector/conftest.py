import os

import pytest

from localcloud.common.checkout import SOURCES
from localcloud.databricks.connector.source import CosmosDataSource
from localcloud.databricks.notebook.spark_session import start_spark
from localcloud.databricks.runs.child_process import WORKER_START
from tests.localcloud.contract.cosmos_account import KEY, CosmosAccount

SET_BY_SPARKS_START = ("PYSPARK_PYTHON", "SPARK_LOCAL_DIRS", "SPARK_LOCAL_IP")


@pytest.fixture(scope="package")
def account(tmp_path_factory):
    running = CosmosAccount(tmp_path_factory.mktemp("cosmos"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def healed(account):
    yield
    account.heal()


@pytest.fixture(scope="package")
def spark(tmp_path_factory):
    """Spark as notebooks have it, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SET_BY_SPARKS_START:
            patch.delenv(name, raising=False)
        # Where Python workers find the data source.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCES), str(WORKER_START)]))
        session = start_spark(tmp_path_factory.mktemp("spark"), "1g", {})
        session.sparkContext.setLogLevel("OFF")
        session.dataSource.register(CosmosDataSource)
        yield session
        session.stop()


class Table:
    """A container, written and read with Spark."""

    def __init__(self, account, spark, container):
        self.container = container
        self._spark = spark
        self._options = {
            "spark.cosmos.accountEndpoint": account.url,
            "spark.cosmos.accountKey": KEY,
            "spark.cosmos.database": container.container_link.split("/")[1],
            "spark.cosmos.container": container.id,
        }

    def write(self, bodies, strategy="ItemOverwrite", mode="append", partitions=1, **options):
        rows = self._spark.createDataFrame([(body,) for body in bodies], "_rawBody string")
        self.write_rows(rows.repartition(partitions), strategy, mode, **options)

    def write_rows(self, rows, strategy="ItemOverwrite", mode="append", **options):
        options = {name.replace("__", "."): value for name, value in options.items()}
        rows.write.format("cosmos.oltp").options(
            **self._options,
            **{"spark.cosmos.write.strategy": strategy},
            **{f"spark.cosmos.{name}": value for name, value in options.items()},
        ).mode(mode).save()

    def read(self, schema=None, **options):
        always = {"read__inferSchema__enabled": "false", "read__consistencyStrategy": "LatestCommitted"}
        named = {
            f"spark.cosmos.{name.replace('__', '.')}": one for name, one in {**always, **options}.items()
        }
        reader = self._spark.read.format("cosmos.oltp").options(**self._options, **named)
        return (reader.schema(schema) if schema else reader).load()

    def documents(self):
        """Return what the container holds, by the SDK, without the service's own properties."""
        found = self.container.query_items("SELECT * FROM c", enable_cross_partition_query=True)
        plain = [{name: value for name, value in one.items() if not name.startswith("_")} for one in found]
        return sorted(plain, key=lambda document: document["id"])


@pytest.fixture
def table_of(account, spark):
    return lambda *paths, **options: Table(account, spark, account.container(*paths, **options))
