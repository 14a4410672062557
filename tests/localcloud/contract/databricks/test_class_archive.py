"""A JVM with an archive of Spark's classes, and with one that is none."""

import subprocess
import sys

import pytest

from localcloud.databricks.notebook.archive_maker import make_archive
from localcloud.databricks.notebook.class_archive import archive_path

# In a process of its own: a process has one Spark.
START = """
import os, sys
from pathlib import Path
from localcloud.databricks.notebook import spark_session
folder = Path(sys.argv[1])
spark_session.JVM_OPTIONS += f" -Xlog:class+load:file={folder / 'classes.log'}"
spark = spark_session.start_spark(folder, sys.argv[2], {})
print(spark.range(5).count(), flush=True)
spark.stop()
os._exit(0)
"""


@pytest.fixture(autouse=True)
def archive():
    make_archive()
    if not archive_path().exists():
        pytest.skip("this Java makes no archives of classes")


def test_a_jvm_of_any_size_takes_most_of_its_classes_from_the_archive(tmp_path):
    command = [sys.executable, "-c", START, str(tmp_path), "3g"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.split()[-1] == "5"
    assert "warning" not in said.stdout
    loaded = (tmp_path / "classes.log").read_text().splitlines()
    ready = [line for line in loaded if "source: shared objects file (top)" in line]
    assert len(ready) > len(loaded) / 2
    assert any("org.apache.spark.SparkContext " in line for line in ready)


def test_an_archive_that_is_there_is_not_made_again():
    before = archive_path().stat()
    make_archive()
    assert archive_path().stat() == before


def test_a_jvm_starts_without_a_file_that_is_no_archive(tmp_path):
    for content in (b"", b"no archive", bytes(2**20)):
        (tmp_path / "other.jsa").write_bytes(content)
        option = f"-XX:SharedArchiveFile={tmp_path / 'other.jsa'}"
        assert subprocess.run(["java", option, "-version"], capture_output=True, check=False).returncode == 0
