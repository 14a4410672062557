import os
import sys

import pytest
from pyspark.sql import SparkSession


@pytest.fixture(scope="package")
def spark(tmp_path_factory):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    folder = tmp_path_factory.mktemp("spark")
    settings = {"ui.enabled": "false", "ui.showConsoleProgress": "false", "sql.shuffle.partitions": "2"}
    settings |= {"sql.warehouse.dir": str(folder), "local.dir": str(folder), "driver.memory": "512m"}
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    session = builder.config("spark.log.level", "ERROR").master("local[2]").getOrCreate()
    yield session
    session.stop()
