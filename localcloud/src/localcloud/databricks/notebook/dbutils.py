"""``dbutils`` as notebooks know it on Databricks, as far as it is supported here.

https://learn.microsoft.com/azure/databricks/dev-tools/databricks-utils
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pyspark.sql import SparkSession

LAKE_SCHEME = "abfss://"
LARGEST_HEAD_BYTES = 2**16


class NotebookExit(Exception):  # noqa: N818 - no error; and like Databricks' own, caught by `except Exception`
    """What ``dbutils.notebook.exit`` ends a notebook with."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class FileInfo(NamedTuple):
    """A file or folder as ``dbutils.fs.ls`` returns it."""

    path: str
    name: str
    size: int
    modificationTime: int  # noqa: N815 - Databricks' name


class FileSystem:
    """``dbutils.fs``: the lake's files, through the same Hadoop file system that Spark uses.

    Args:
        spark: the notebook's session.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._jvm: Any = spark._jvm
        self._configuration = spark._jsc.hadoopConfiguration()

    def head(self, file: str, max_bytes: int = LARGEST_HEAD_BYTES) -> str:
        """Return the first bytes of a file as text."""
        system, path = self._at(file)
        stream = system.open(path)
        try:
            return bytes(stream.readNBytes(max_bytes)).decode(errors="replace")
        finally:
            stream.close()

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Write a text to a file; one that is there is kept unless it is to be overwritten."""
        system, path = self._at(file)
        if not overwrite and system.exists(path):
            raise FileExistsError(f"{file} is there already; put it with overwrite=True.")
        content = contents.encode()
        stream = system.create(path, overwrite)
        stream.write(bytearray(content))
        stream.close()
        print(f"Wrote {len(content)} bytes.")
        return True

    def ls(self, dir: str) -> list[FileInfo]:
        """Return what is in a folder."""
        system, path = self._at(dir)
        return [_file_info(status) for status in system.listStatus(path)]

    def mkdirs(self, dir: str) -> bool:
        """Make a folder."""
        system, path = self._at(dir)
        return bool(system.mkdirs(path))

    def rm(self, dir: str, recurse: bool = False) -> bool:
        """Delete a file, or with ``recurse`` a folder."""
        system, path = self._at(dir)
        return bool(system.delete(path, recurse))

    def _at(self, path: str) -> tuple[Any, Any]:
        if not path.startswith(LAKE_SCHEME):
            raise ValueError(f"{path!r}: dbutils.fs knows {LAKE_SCHEME} paths only here.")
        place = self._jvm.org.apache.hadoop.fs.Path(path)
        return place.getFileSystem(self._configuration), place


def _file_info(status: Any) -> FileInfo:
    slash = "/" if status.isDirectory() else ""
    return FileInfo(
        f"{status.getPath().toString()}{slash}",
        f"{status.getPath().getName()}{slash}",
        status.getLen(),
        status.getModificationTime(),
    )


class Widgets:
    """``dbutils.widgets``: a run's parameters, over the defaults that the notebook gives.

    Args:
        parameters: those of the run.
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: N803 - Databricks' name
        """Define a widget; its label is for people at a screen."""
        del label
        self._defaults[name] = defaultValue

    def get(self, name: str) -> str:
        """Return a widget's value."""
        values = self.getAll()
        if name not in values:
            raise ValueError(f"InputWidgetNotDefined: No input widget named {name} is defined")
        return values[name]

    def getAll(self) -> dict[str, str]:  # noqa: N802 - Databricks' name
        """Return all widgets' values by name."""
        return {**self._defaults, **self._parameters}


class Secrets:
    """``dbutils.secrets``.

    Args:
        scopes: secrets by scope and key.
    """

    def __init__(self, scopes: Mapping[str, Mapping[str, str]]) -> None:
        self._scopes = scopes

    def get(self, scope: str, key: str) -> str:
        """Return a secret."""
        if scope not in self._scopes:
            raise PermissionError(f"RESOURCE_DOES_NOT_EXIST: Scope {scope} does not exist!")
        if key not in self._scopes[scope]:
            raise KeyError(f"Secret does not exist with scope: {scope} and key: {key}")
        return self._scopes[scope][key]


class Notebook:
    """``dbutils.notebook``."""

    def exit(self, value: str) -> None:
        """End the notebook; the value becomes the run's output."""
        raise NotebookExit(str(value))


class DBUtils:
    """All of them.

    Args:
        spark: the notebook's session.
        parameters: those of the run.
        secrets: by scope and key.
    """

    def __init__(
        self, spark: SparkSession, parameters: Mapping[str, str], secrets: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.fs = FileSystem(spark)
        self.widgets = Widgets(parameters)
        self.secrets = Secrets(secrets)
        self.notebook = Notebook()
