"""Measure the cost of the census in assess: data files are read, mapped and tallied with and without it.

    python -m benchmarks.census [--items 20000] [--rounds 9]

Processor time is measured alternately, so that other load on the machine affects both.
"""

import argparse
import gc
import gzip
import json
import statistics
import time

from benchmarks.mapping import KEYS, KINDS, NOW, sample_of
from d2c.export_format import read_lines
from d2c.load_run.accounting import FileTally
from d2c.load_run.census.counts import Census
from d2c.mapping import MappedShape, compile_mapper, parse_rules

RULES = parse_rules({}, KEYS)


def assess(content: bytes, *, with_census: bool) -> FileTally:
    """Assess a data file as a worker does."""
    mapped_shape = MappedShape() if with_census else None
    census = Census(mapped_shape) if mapped_shape else None
    mapper, tally = compile_mapper(RULES, mapped_shape), FileTally("file")
    for line in read_lines(content, "file"):
        mapped = mapper.map_line(line, NOW)
        tally.count(mapped)
        if census is not None:
            census.add(mapped)
    tally.census = None if census is None else census.to_json()
    return tally


def seconds_for(content: bytes, *, with_census: bool) -> float:
    """Return the processor time of assessing a data file once."""
    gc.collect()
    started = time.process_time()
    assess(content, with_census=with_census)
    return time.process_time() - started


def samples(items: int) -> dict[str, list[bytes]]:
    """Return lines of each kind of item, and of a kind with a 19-digit number in every item."""
    found = {kind: sample_of(kind, items) for kind in KINDS}
    long = b'"Version":{"N":"123456789012345678'
    found["19-digit number"] = [line.replace(b'"Version":{"N":"', long) for line in found["flat"]]
    return found


def main() -> None:
    """Print one line per kind of item."""
    parser = argparse.ArgumentParser(description="Time assess with and without the census.")
    parser.add_argument("--items", type=int, default=20_000, help="items per kind")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{'items':<18} {'without us/item':>16} {'with us/item':>13} {'ratio':>6} {'census bytes':>13}")
    for kind, lines in samples(options.items).items():
        content = gzip.compress(b"".join(line + b"\n" for line in lines))
        without, with_census = [], []
        for _ in range(options.rounds):
            without.append(seconds_for(content, with_census=False))
            with_census.append(seconds_for(content, with_census=True))
        ratio = statistics.median(one / other for one, other in zip(with_census, without, strict=True))
        each = [statistics.median(times) / len(lines) * 1e6 for times in (without, with_census)]
        size = len(json.dumps(assess(content, with_census=True).census))
        print(f"{kind:<18} {each[0]:>16.2f} {each[1]:>13.2f} {ratio:>6.2f} {size:>13,}")


if __name__ == "__main__":
    main()
