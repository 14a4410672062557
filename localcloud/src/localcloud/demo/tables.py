"""The demo's tables: data sets of the npm package vega-datasets, and one table with every DynamoDB type."""

import csv
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from localcloud.common.checkout import NODE_MODULES

DATA = NODE_MODULES / "vega-datasets" / "data"
DAY_SECONDS = 86_400
TYPED_ITEMS = 600

Item = dict[str, Any]


@dataclass(frozen=True)
class DemoTable:
    """A table to make and to move.

    ``hash_key`` and ``range_key`` are name and type; ``items`` are Python values as boto3's resource takes them.
    """

    name: str
    container: str
    hash_key: tuple[str, str]
    range_key: tuple[str, str] | None
    items: Callable[[], Iterator[Item]]
    rules: Mapping[str, Any] = field(default_factory=dict)
    ttl_attribute: str | None = None


def _zip_codes() -> Iterator[Item]:
    with (DATA / "zipcodes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            yield {**row, "latitude": Decimal(row["latitude"]), "longitude": Decimal(row["longitude"])}


def _movies() -> Iterator[Item]:
    """Return the films that have a title; some titles are numbers in the file, and absent values are null."""
    for film in json.loads((DATA / "movies.json").read_text(), parse_float=Decimal):
        if film["Title"] is not None:
            yield {**film, "Title": str(film["Title"])}


def _earthquakes() -> Iterator[Item]:
    """Return a week of earthquakes, each with nested maps; the faintest ones have expired."""
    now = int(time.time())
    for feature in json.loads((DATA / "earthquakes.json").read_text(), parse_float=Decimal)["features"]:
        properties = feature["properties"]
        faint = (properties["mag"] or 0) < 0
        yield {
            "network": properties["net"],
            "time": properties["time"],
            "id": feature["id"],
            "properties": properties,
            "geometry": feature["geometry"],
            "expires_at": now - DAY_SECONDS if faint else now + 30 * DAY_SECONDS,
        }


def _bird_strikes() -> Iterator[Item]:
    """Return collisions of aircraft with birds; their sort key holds both `/` and `#`, which no document id may."""
    with (DATA / "birdstrikes.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            speed = row.pop("Speed IAS in knots")
            key = f"{row['Airport Name']}/{row['Flight Date']}#{row['Aircraft Make Model']}#{number:05d}"
            yield {**row, "Strike": key, **({"Speed": int(speed)} if speed else {})}


def _typed() -> Iterator[Item]:
    """Return items with every DynamoDB type, values at their limits, and names that Cosmos DB keeps for itself."""
    choose = random.Random(7)  # noqa: S311 - the same items each time, nothing secret
    numbers = (
        Decimal(0),
        Decimal("-0.1"),
        Decimal(2**53),
        Decimal(2**53 + 1),
        Decimal("1E-130"),
        Decimal("9.9999999999999999999999999999999999999E+125"),
        Decimal("12345678901234567890123456789012345678"),
    )
    texts = (
        "",
        "plain",
        "naïve café",
        "日本語",
        "🦉 and 👩‍👩‍👧",
        'a "quoted" \\ text',
        "line\nbreak\u2028and\ttab",
    )
    for number in range(TYPED_ITEMS):
        inner = {
            "text": choose.choice(texts),
            "number": choose.choice(numbers),
            "flag": choose.random() < 0.5,
        }
        yield {
            "key": choose.randbytes(12) + number.to_bytes(2, "big"),
            "rank": Decimal(number) / 4 - 50,
            "text": choose.choice(texts),
            "number": choose.choice(numbers),
            "bytes": choose.randbytes(choose.randrange(40)),
            "flag": number % 2 == 0,
            "nothing": None,
            "map": {"deep": {"deeper": [inner, [], {}]}, "a.b": 1, 'with "quotes"': "x"},
            "list": [1, "two", b"three", None, True, inner],
            "texts": set(choose.sample(texts[1:], 3)),
            "numbers": set(choose.sample(numbers, 4)),
            "binaries": {choose.randbytes(4) for _ in range(3)},
            "id": f"own/{number}",
            "_ts": number,
            "ttl": 1_893_456_000,
        }


TABLES = (
    DemoTable(
        "ZipCodes", "zip-codes", ("zip_code", "S"), None, _zip_codes, {"partition_key": ["state", "county"]}
    ),
    DemoTable("BirdStrikes", "bird-strikes", ("Origin State", "S"), ("Strike", "S"), _bird_strikes),
    DemoTable(
        "Movies", "movies", ("Title", "S"), ("Release Date", "S"), _movies, {"rename": {"Title": "title"}}
    ),
    DemoTable(
        "Earthquakes",
        "earthquakes",
        ("network", "S"),
        ("time", "N"),
        _earthquakes,
        ttl_attribute="expires_at",
    ),
    DemoTable("EveryType", "every-type", ("key", "B"), ("rank", "N"), _typed),
)
