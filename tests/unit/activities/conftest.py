import pytest

from .fakes import World


@pytest.fixture
def world(monkeypatch):
    world = World()
    world.put_in_place(monkeypatch)
    return world
