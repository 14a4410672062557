import base64
import io
from types import SimpleNamespace

import pytest
from databricks.sdk.errors import NotFound, PermissionDenied
from databricks.sdk.service.workspace import ExportFormat, ExportResponse, ImportFormat, Language

from d2c.clients.databricks.files import DatabricksFiles
from d2c.errors import PermanentError


class Workspace:
    """Stands in for the SDK's client: remembers calls and gives one answer to reading ones."""

    def __init__(self, answer=None):
        self.answer, self.calls = answer, []
        self.workspace = SimpleNamespace(
            mkdirs=lambda path: self.calls.append(("mkdirs", path)),
            import_=lambda path, **named: self.calls.append(("import", path, named)),
            export=self._export,
        )
        self.api_client = SimpleNamespace(do=self._do)

    def _export(self, path, **named):
        self.calls.append(("export", path, named))
        return self._answered(lambda content: ExportResponse(content=base64.b64encode(content).decode()))

    def _do(self, method, path, **named):
        self.calls.append((method, path, named))
        return self._answered(lambda content: {"contents": io.BytesIO(content)})

    def _answered(self, shape):
        if isinstance(self.answer, Exception):
            raise self.answer
        return shape(self.answer or b"")


@pytest.mark.parametrize("path", ["/Shared/d2c/load_table", "/Workspace/Shared/d2c/load_table"])
def test_a_notebook_is_imported_as_python_source_into_a_folder_that_is_made(path):
    service = Workspace()
    DatabricksFiles(service).write_notebook(path, b"print(1)")
    made, imported = service.calls
    assert made == ("mkdirs", "/Shared/d2c")
    assert imported[1] == "/Shared/d2c/load_table"
    assert imported[2] == {
        "content": base64.b64encode(b"print(1)").decode(),
        "format": ImportFormat.SOURCE,
        "language": Language.PYTHON,
        "overwrite": True,
    }


def test_a_file_of_the_workspace_is_imported_as_what_it_is():
    service = Workspace()
    DatabricksFiles(service).write_file("/Workspace/Shared/d2c/a.whl", b"PK")
    assert service.calls[1][1] == "/Shared/d2c/a.whl"
    assert service.calls[1][2]["format"] == ImportFormat.AUTO


def test_a_file_of_a_volume_goes_through_the_files_api():
    service = Workspace()
    DatabricksFiles(service).write_file("/Volumes/main/d2c/my libraries/a.whl", b"PK")
    folder, file = service.calls
    assert folder[:2] == ("PUT", "/api/2.0/fs/directories/Volumes/main/d2c/my%20libraries")
    assert file[:2] == ("PUT", "/api/2.0/fs/files/Volumes/main/d2c/my%20libraries/a.whl")
    assert (file[2]["data"], file[2]["query"]) == (b"PK", {"overwrite": "true"})


@pytest.mark.parametrize(
    ("read", "path", "export_format"),
    [
        ("read_notebook", "/Shared/d2c/load_table", ExportFormat.SOURCE),
        ("read_file", "/Workspace/Shared/d2c/a.whl", ExportFormat.AUTO),
        ("read_file", "/Volumes/main/d2c/libraries/a.whl", None),
    ],
)
def test_what_is_read_is_the_content_or_none_if_there_is_nothing(read, path, export_format):
    service = Workspace(b"content")
    assert getattr(DatabricksFiles(service), read)(path) == b"content"
    assert service.calls[0][2].get("format") == export_format
    assert getattr(DatabricksFiles(Workspace(NotFound("gone"))), read)(path) is None


@pytest.mark.parametrize("path", ["/Shared/a.whl", "/Volumes/main/d2c/libraries/a.whl"])
def test_a_refusal_names_the_file(path):
    with pytest.raises(PermanentError, match=f"File {path}"):
        DatabricksFiles(Workspace(PermissionDenied("no"))).read_file(path)
