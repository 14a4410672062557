"""The workspace's files: a path such as ``/Shared/d2c/load_table`` is below one folder of this machine."""

from pathlib import Path

from localcloud.databricks.errors import invalid

# The mount through which a cluster sees the workspace: its paths with and without it are the same.
MOUNT = "/Workspace/"


class Workspace:
    """Notebooks and volumes.

    Args:
        folder: holds them, by their paths in the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def notebook(self, path: str) -> Path:
        """Return where a notebook's source is; whether it is there, the caller sees.

        Raises:
            ApiError: 400, if the path is not one of the workspace.
        """
        return self.file(f"{path}.py")

    def file(self, path: str) -> Path:
        """Return where a file is; whether it is there, the caller sees.

        Raises:
            ApiError: 400, if the path is not one of the workspace.
        """
        inner = path.removeprefix(MOUNT.rstrip("/")) if path.startswith(MOUNT) else path
        place = (self._folder / inner.lstrip("/")).resolve()
        if not path.startswith("/") or not place.is_relative_to(self._folder):
            raise invalid(f"{path!r} is no absolute path within the workspace.")
        return place
