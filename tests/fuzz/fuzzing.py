"""What all fuzzers share: how many inputs they make, from which seed, and what no input may cost."""

import functools
import gc
import os
import resource
import time
from contextlib import contextmanager
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

INPUTS = int(os.environ.get("FUZZ_INPUTS", "100"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
# Made by one run of hypothesis, which keeps what it has made and takes longer for each input the more there are.
BATCH = 500
# Of the thread that works on one input.
MOST_PROCESSOR_SECONDS = 1.0
MOST_GROWTH_BYTES = 300_000_000

# What breaks parsers: deep, long, signed, not finite, or looking like something else.
ODD_TEXTS = (
    *(
        "",
        ".",
        "..",
        "../",
        "/",
        "\\",
        "%",
        "%2F",
        "%00",
        "~2E",
        "\x00",
        "\n",
        "\r\n",
        "\x1b[31m",
        "\x7f",
        " ",
    ),
    *(
        "\u202e",
        "\ufeff",
        "\ud800",
        "\U0001f600",
        "eyJ" * 50,
        "-eyJ" * 50,
        "[" * 2000,
        '{"":' * 500,
        "9" * 500,
    ),
    *(
        "-0",
        "1e999999999",
        "NaN",
        "Infinity",
        "null",
        "true",
        "<script>alert(1)</script>",
        "'; --",
        "${x}",
        "{{x}}",
    ),
)
odd_texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=200))
odd_numbers = st.one_of(
    st.integers(), st.floats(), st.sampled_from((0, -1, 2**31, 2**53 + 1, 2**63, 10**400, 1e308, -0.0))
)
odd_values = st.recursive(
    st.one_of(st.none(), st.booleans(), odd_numbers, odd_texts),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(odd_texts, inner, max_size=5),
    max_leaves=20,
)


@dataclass
class Tried:
    """What the test that runs has tried: its inputs, and the processor seconds of the slowest."""

    inputs: int = 0
    slowest: float = 0.0


TRIED = Tried()


def fuzzed(*inputs, most=None):
    """Run a test with made-up inputs: the same ones each time, or those of `FUZZ_SEED`.

    `most` is for one of many tests at a door: how many inputs it takes of each hundred. What it finds is not made
    smaller, which takes minutes where each try is slow.
    """
    wanted = INPUTS if most is None else max(1, INPUTS * most // 100)
    checks = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    chosen = settings(
        max_examples=min(wanted, BATCH),
        phases=Phase if most is None else (Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=checks,
    )

    def decorate(test):
        batch = given(*inputs)(chosen(_counted(test)))

        def in_batches():
            for number in range(-(-wanted // BATCH)):
                seed(SEED * 1000 + number)(batch)()

        return in_batches

    return decorate


def _counted(test):
    @functools.wraps(test)
    def counted(**made):
        TRIED.inputs += 1
        return test(**made)

    return counted


@contextmanager
def within_bounds(clock=time.thread_time):
    """Fail if what runs inside takes more processor time or memory than an input may cost.

    With `time.process_time` the time of other threads counts too.
    """
    seconds, bytes_ = clock(), _peak_bytes()
    # What is collected is mostly what hypothesis keeps of the inputs before, which is no cost of this one.
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    taken, grown = clock() - seconds, _peak_bytes() - bytes_
    TRIED.slowest = max(TRIED.slowest, taken)
    assert taken <= MOST_PROCESSOR_SECONDS, f"{taken:.1f} s of processor time"
    assert grown <= MOST_GROWTH_BYTES, f"{grown} bytes of memory"


@st.composite
def spoilt(draw, sound):
    """Make a sound JSON value with something odd in some places: as value, as name, missing, or repeated."""
    value = draw(sound)
    for _ in range(draw(st.integers(0, 3))):
        value = _spoil(draw, value)
    return value


def _spoil(draw, value):
    inside = isinstance(value, dict | list) and value and draw(st.integers(0, 9)) < 8
    if isinstance(value, dict) and inside:
        name = draw(st.sampled_from(sorted(value)))
        rest = {key: each for key, each in value.items() if key != name}
        way = draw(st.sampled_from(("within", "within", "without", "renamed")))
        if way == "without":
            return rest
        return {**rest, name if way == "within" else draw(odd_texts): _spoil(draw, value[name])}
    if isinstance(value, list) and inside:
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _spoil(draw, value[place]), *value[place + draw(st.integers(0, 1)) :]]
    return draw(odd_values)


@st.composite
def torn(draw, sound):
    """Make sound bytes with pieces cut out, repeated, or replaced."""
    data = draw(sound)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 64)))
        piece = draw(st.one_of(st.binary(max_size=16), st.just(data[start:end] * 2)))
        data = data[:start] + piece + data[end:]
    return data


def _peak_bytes():
    """Return the most memory that this process has held; Linux tells kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
