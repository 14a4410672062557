"""An app of substitutes, and the events of its lake."""

import json

from azure.core.exceptions import HttpResponseError
from azure.functions.blob import InputStream

from tests.unit.arrived import REGION
from tests.unit.control.conftest import CalledApp, user_function
from triggers import events


class LakeWorld(CalledApp):
    """An app whose functions get events of its lake."""

    def __init__(self):
        super().__init__(D2C_EXPORT_BUCKET="own-bucket")

    def archive(self, path):
        """Move a file to the archive tier, where nobody can read it."""
        read = self.file_system.download_blob

        def download_blob(asked, **part):
            if asked != path:
                return read(asked, **part)
            archived = HttpResponseError("This operation is not permitted on an archived blob.")
            archived.status_code, archived.error_code = 409, "BlobArchived"
            raise archived

        self.file_system.download_blob = download_blob

    @property
    def started(self):
        """The ids of the migrations that were started."""
        return [instance for _, instance, _ in self.client.started]

    def put_plan(self, path, plan):
        self.lake.write(path, plan if isinstance(plan, bytes) else json.dumps(plan).encode())

    async def plan_event(self, path):
        stream = InputStream(data=b"", name=f"lake/{path}")
        await user_function(events.plan_arrived)(stream, app=self.app)

    async def export_event(self, folder):
        stream = InputStream(data=b"", name=f"lake/{folder}/manifest-summary.json")
        await user_function(events.export_arrived)(stream, app=self.app)

    async def drop(self, path, plan):
        """Put a plan's file into the lake, and send its event."""
        self.put_plan(path, plan)
        await self.plan_event(path)

    def read(self, path):
        return self.lake.read_json(path)

    def paths(self):
        return set(self.file_system.files)


def standing(name="theirs", *tables, **more):
    """Return a standing plan."""
    return {
        "name": name,
        "database": "shop",
        "region": REGION,
        "start": "when_exports_arrive",
        "tables": list(tables) or [{"table": "Music", "container": "music"}],
        **more,
    }
