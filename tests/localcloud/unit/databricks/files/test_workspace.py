import pytest

from localcloud.databricks.errors import ApiError
from localcloud.databricks.files.workspace import Workspace


def test_a_path_of_the_workspace_is_below_its_folder(tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.notebook("/Shared/d2c/load_table") == tmp_path / "Shared" / "d2c" / "load_table.py"
    assert workspace.file("/Volumes/a/b.whl") == tmp_path / "Volumes" / "a" / "b.whl"


@pytest.mark.parametrize("path", ["/../x", "/Shared/../../x", "Shared/x", "/link/x", ""])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "link").symlink_to(tmp_path)
    with pytest.raises(ApiError, match="within the workspace"):
        Workspace(tmp_path / "files").file(path)
