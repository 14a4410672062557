"""Where a notebook finds the lake: each of its file systems, mounted under the authority of its ``abfss://`` paths."""

from dataclasses import dataclass, field

from localcloud.databricks.files.lake_files import LakeFiles
from localcloud.lake import ACCOUNT


@dataclass(frozen=True)
class LakeMounts:
    """The lake behind this service's WebHDFS.

    ``address`` is the service's host and port; ``secret`` the first part of every path.
    """

    files: LakeFiles
    address: str
    secret: str = field(repr=False)

    async def mounts(self) -> dict[str, str]:
        """Return by authority where a file system is to be had."""
        return {
            f"{name}@{ACCOUNT}.dfs.core.windows.net": f"webhdfs://{self.address}/{self.secret}/{name}"
            for name in await self.files.file_systems()
        }
