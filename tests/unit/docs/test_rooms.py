"""The layout is the one that the documentation and the import contracts describe."""

import configparser
import re

from tests.unit.pages import ROOT, codes, table_rows, text_of

ROOMS = ("triggers", "orchestrators", "activities", "d2c")
LARGEST_ROOM = 15
LOOSE_MODULES_OF_D2C = 12
PAGE = text_of("develop/architecture.md")


def folders():
    """Return every folder of the product that holds modules."""
    found = [
        folder
        for room in ROOMS
        for folder in (ROOT / room, *(ROOT / room).rglob("*"))
        if folder.is_dir() and any(folder.glob("*.py"))
    ]
    assert len(found) > len(ROOMS)
    return found


def modules_of(folder):
    return [path for path in folder.glob("*.py") if path.name != "__init__.py"]


def rooms_of_d2c():
    return {folder.name for folder in (ROOT / "d2c").iterdir() if (folder / "__init__.py").exists()}


def layers():
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    text = contracts["importlinter:contract:floors"]["layers"]
    return {name for line in text.splitlines() for name in re.split(r"[:\s]+", line) if name}


def test_no_folder_has_more_modules_than_a_reader_can_survey():
    assert [str(folder) for folder in folders() if len(modules_of(folder)) > LARGEST_ROOM] == []
    assert len(modules_of(ROOT / "d2c")) <= LOOSE_MODULES_OF_D2C


def test_every_folder_of_modules_is_a_package_that_the_build_finds():
    assert [str(folder) for folder in folders() if not (folder / "__init__.py").exists()] == []


def test_every_room_has_a_floor_in_the_import_contracts():
    assert rooms_of_d2c() - layers() == set()
    assert {name for name in layers() if not (ROOT / "d2c" / name).exists()} <= {
        path.stem for path in modules_of(ROOT / "d2c")
    }


def test_the_page_has_every_room_and_no_other():
    described = {codes(row[0])[0].rstrip("/") for row in table_rows(PAGE, "## Rooms")}
    assert {name.removeprefix("d2c/") for name in described if name.startswith("d2c/")} == rooms_of_d2c()
    assert [name for name in described if not (ROOT / name).exists()] == []


def test_the_places_that_contributors_are_sent_to_are_there():
    rows = table_rows((ROOT / "CONTRIBUTING.md").read_text(), "## The rooms")
    places = [place for row in rows for place in codes(row[1]) if "<" not in place]
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []
