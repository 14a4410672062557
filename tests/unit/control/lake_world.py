"""A lake in memory and Durable's client, for what events in the lake start."""

import json

from azure.functions.blob import InputStream

from d2c.clients.azure.lake import Lake
from d2c.control import export_arrivals, migrations
from tests.unit.arrived import REGION
from tests.unit.clients.settings import local_settings
from tests.unit.control.conftest import SubstituteClient, user_function
from tests.unit.file_system import SubstituteFileSystem
from triggers import events


class LakeWorld:
    """What the blob triggers see, and how a test tells them of a file."""

    def __init__(self, monkeypatch):
        self.file_system = SubstituteFileSystem()
        self.lake = Lake(self.file_system)
        self.client = SubstituteClient()
        settings = local_settings(D2C_EXPORT_BUCKET="own-bucket")
        for module in (events, export_arrivals, migrations):
            monkeypatch.setattr(module, "app_settings", lambda: settings)
            monkeypatch.setattr(module, "connect_lake", lambda settings: self.lake, raising=False)

    @property
    def started(self):
        """The ids of the migrations that were started."""
        return [instance for _, instance, _ in self.client.started]

    def put_plan(self, path, plan):
        self.lake.write(path, plan if isinstance(plan, bytes) else json.dumps(plan).encode())

    async def plan_event(self, path):
        stream = InputStream(data=b"", name=f"lake/{path}")
        await user_function(events.plan_arrived)(plan=stream, client=self.client)

    async def export_event(self, folder):
        stream = InputStream(data=b"", name=f"lake/{folder}/manifest-summary.json")
        await user_function(events.export_arrived)(manifest=stream, client=self.client)

    async def drop(self, path, plan):
        """Put a plan's file into the lake, and tell of it."""
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
