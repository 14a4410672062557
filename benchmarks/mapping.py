"""Compare the mapping's speed with two plain recursive functions over orjson, which do not check their input.

One gives the same documents for these items: numbers that a double would change become text, sets are sorted. The
other only unwraps, and rounds what a double cannot hold. All map the same lines in one process alternately, so that
other load on the machine affects all. Each round has a mapper of its own.

    python -m benchmarks.mapping [--items 5000] [--rounds 15]
"""

import argparse
import base64
import gc
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson

from d2c.mapping import Document, KeySchema, compile_mapper, parse_rules

KEYS = KeySchema("CustomerId", "OrderId")
NOW = 1_800_000_000
SEED = 20_260_101

# fmt: off
WORDS = (
    "amber", "anchor", "basket", "beacon", "bottle", "candle", "canvas", "carpet", "cedar", "chrome",
    "copper", "cotton", "desk", "door", "fabric", "filter", "frame", "garden", "glass", "handle", "harbour",
    "hinge", "jacket", "kettle", "Küche", "ladder", "lamp", "Straße", "crème", "silver",
)
# fmt: on
STATES = ("NEW", "PAID", "PACKED", "SHIPPED", "DELIVERED", "RETURNED")
COUNTRIES = ("DE", "FR", "GB", "IE", "NL", "SE")

Item = dict[str, Any]
MapLine = Callable[[bytes], object]


def text(source: random.Random, words: int) -> Item:
    """Return a text of that many words."""
    return {"S": " ".join(source.choices(WORDS, k=words))}


def integer(source: random.Random, least: int, most: int) -> Item:
    """Return a whole number between two others."""
    return {"N": str(source.randint(least, most))}


def money(source: random.Random) -> Item:
    """Return an amount with cents, as DynamoDB writes it: without trailing zeros."""
    cents = source.randint(1, 2_000_000)
    return {"N": f"{cents / 100:.2f}".rstrip("0").rstrip(".")}


def measured(source: random.Random, digits: int) -> Item:
    """Return a measured value with that many decimals."""
    return {"N": f"{source.uniform(-180, 180):.{digits}f}".rstrip("0").rstrip(".")}


def binary(source: random.Random, size_bytes: int) -> Item:
    """Return random bytes."""
    return {"B": base64.b64encode(source.randbytes(size_bytes)).decode()}


def keys(source: random.Random, number: int) -> Item:
    """Return the key attributes of an item, in the shape of a single-table design."""
    day = f"{source.randint(2019, 2026)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"
    return {
        "CustomerId": {"S": f"CUST#{source.randint(1, 40_000)}"},
        "OrderId": {"S": f"ORD#{day}#{number:07}"},
    }


def flat_item(source: random.Random, number: int) -> Item:
    """Return an order in attributes of its own: strings, numbers, a few booleans and a null."""
    return {
        **keys(source, number),
        "State": {"S": source.choice(STATES)},
        "CreatedAt": {
            "S": f"2026-{source.randint(1, 12):02}-{source.randint(1, 28):02}T09:{number % 60:02}:07Z"
        },
        "UpdatedAt": integer(source, 1_600_000_000, 1_790_000_000),
        "Name": text(source, 2),
        "Email": {"S": f"{source.choice(WORDS)}.{number}@example.com"},
        "Street": text(source, 3),
        "City": text(source, 1),
        "PostalCode": {"S": f"{source.randint(1, 99_999):05}"},
        "Country": {"S": source.choice(COUNTRIES)},
        "Total": money(source),
        "Tax": money(source),
        "Discount": money(source),
        "Count": integer(source, 1, 40),
        "Version": integer(source, 1, 9),
        "WeightKg": measured(source, 3),
        "Latitude": measured(source, 6),
        "Longitude": measured(source, 6),
        "Paid": {"BOOL": source.random() < 0.9},
        "Gift": {"BOOL": source.random() < 0.1},
        "Coupon": {"NULL": True},
        "Note": text(source, 24),
    }


def nested_item(source: random.Random, number: int) -> Item:
    """Return an order with its lines and addresses in lists and maps."""
    line = {"M": {"Sku": {"S": f"SKU-{source.randint(1, 9_999)}"}, "Name": text(source, 3)}}
    lines = [
        {"M": {**line["M"], "Count": integer(source, 1, 9), "Price": money(source), "Gift": {"BOOL": False}}}
        for _ in range(4)
    ]
    address = {"Street": text(source, 3), "City": text(source, 1), "Country": {"S": source.choice(COUNTRIES)}}
    steps = [{"L": [{"S": state}, integer(source, 1_600_000_000, 1_790_000_000)]} for state in STATES[:3]]
    return {
        **keys(source, number),
        "Lines": {"L": lines},
        "Address": {
            "M": {**address, "Position": {"M": {"Lat": measured(source, 6), "Lon": measured(source, 6)}}}
        },
        "History": {"L": steps},
        "Total": money(source),
        "Note": text(source, 12),
    }


def set_item(source: random.Random, number: int) -> Item:
    """Return a product picture with its sets and binaries."""
    return {
        **keys(source, number),
        "Tags": {"SS": source.sample(WORDS, 8)},
        "Colours": {"SS": source.sample(WORDS, 4)},
        "Sizes": {"NS": [str(size) for size in source.sample(range(30, 60), 6)]},
        "Prices": {"NS": list({money(source)["N"] for _ in range(4)})},
        "Thumbnail": binary(source, 220),
        "Digest": binary(source, 32),
        "Fingerprints": {"BS": [binary(source, 16)["B"] for _ in range(3)]},
        "Stock": integer(source, 0, 5_000),
        "Active": {"BOOL": True},
        "Title": text(source, 8),
    }


KINDS: dict[str, Callable[[random.Random, int], Item]] = {
    "flat": flat_item,
    "nested": nested_item,
    "sets and binaries": set_item,
}


def sample_of(kind: str, items: int) -> list[bytes]:
    """Return the same export lines each time it is called."""
    source = random.Random(f"{SEED} {kind}")  # noqa: S311 - a sample, not a secret
    return [orjson.dumps({"Item": KINDS[kind](source, number)}) for number in range(items)]


def unwrap(tagged: Item) -> Any:
    """Return a tagged value's content, like a short program without checks."""
    for tag, value in tagged.items():
        if tag == "N":
            return float(value)
        if tag == "M":
            return {name: unwrap(member) for name, member in value.items()}
        if tag == "L":
            return [unwrap(member) for member in value]
        if tag == "NS":
            return [float(member) for member in value]
        if tag == "NULL":
            return None
        return value
    return None


def map_plainly(line: bytes) -> bytes:
    """Map a line without any check, key escaping or sorting: the baseline."""
    item = orjson.loads(line)["Item"]
    document = {name: unwrap(tagged) for name, tagged in item.items()}
    document["id"] = document["OrderId"]
    return orjson.dumps(document)


def exact_number(text: str) -> Any:
    """Return a number, or its text where a double would change it."""
    exact, number = Decimal(text), float(text)
    if Decimal(repr(number)) != exact:
        return format(exact, "f")
    return int(number) if number.is_integer() else number


# The exact conversion of each type, for a program without checks.
UNWRAP_EXACTLY: dict[str, Callable[[Any], Any]] = {
    "N": exact_number,
    "M": lambda value: {name: unwrap_exactly(member) for name, member in value.items()},
    "L": lambda value: [unwrap_exactly(member) for member in value],
    "SS": lambda value: sorted(value, key=str.encode),
    "NS": lambda value: sorted(map(exact_number, value)),
    "BS": lambda value: sorted(value, key=base64.b64decode),
    "NULL": lambda value: None,
}


def unwrap_exactly(tagged: Item) -> Any:
    """Return a tagged value's content with all digits and with sorted sets."""
    ((tag, value),) = tagged.items()
    return UNWRAP_EXACTLY[tag](value) if tag in UNWRAP_EXACTLY else value


def map_exactly(line: bytes) -> bytes:
    """Map a line of the sample to the same document as the product, without any check of it."""
    item = orjson.loads(line)["Item"]
    document = {name: unwrap_exactly(tagged) for name, tagged in item.items()}
    document["id"] = quote(document["OrderId"])
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def map_faithfully() -> MapLine:
    """Return the product's function to map a line, with a new mapper."""
    mapper = compile_mapper(parse_rules({}, KEYS))
    return lambda line: mapper.map_line(line, NOW)


def seconds_for(map_line: MapLine, lines: list[bytes]) -> float:
    """Return the seconds for mapping all lines once."""
    gc.collect()
    started = time.perf_counter()
    for line in lines:
        map_line(line)
    return time.perf_counter() - started


WAYS: dict[str, Callable[[], MapLine]] = {
    "unwraps": lambda: map_plainly,
    "same result": lambda: map_exactly,
    "ours": map_faithfully,
}


def measure(lines: list[bytes], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each function for all lines, by round."""
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            seconds[name].append(seconds_for(way(), lines))
    return seconds


def check_same(lines: list[bytes]) -> None:
    """Check that two of the functions give the same documents."""
    ours = map_faithfully()
    for line in lines:
        document = ours(line)
        assert isinstance(document, Document)  # noqa: S101
        assert document.body == map_exactly(line), line  # noqa: S101


def main() -> None:
    """Print one line per kind of item, and one for all of them mixed."""
    parser = argparse.ArgumentParser(description="Compare mapping with plain functions over orjson.")
    parser.add_argument("--items", type=int, default=5_000, help="items per kind")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    samples = {kind: sample_of(kind, options.items) for kind in KINDS}
    samples["all"] = [line for lines in zip(*samples.values(), strict=True) for line in lines]
    check_same(samples["all"])
    print(
        f"{'items':<18} {'bytes/item':>10}",
        *(f"{name + '/s':>14}" for name in WAYS),
        " ours/unwraps ours/same",
    )
    for kind, lines in samples.items():
        seconds = measure(lines, options.rounds)
        rates = [len(lines) / statistics.median(taken) for taken in seconds.values()]
        ratios = [
            statistics.median(
                theirs / mine for theirs, mine in zip(seconds[name], seconds["ours"], strict=True)
            )
            for name in ("unwraps", "same result")
        ]
        size = sum(map(len, lines)) / len(lines)
        print(
            f"{kind:<18} {size:>10,.0f}",
            *(f"{rate:>14,.0f}" for rate in rates),
            *(f"{ratio:>13.2f}" for ratio in ratios),
        )


if __name__ == "__main__":
    main()
