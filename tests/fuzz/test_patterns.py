"""No regular expression of the product runs over a text again from each of its characters."""

import ast
import importlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import strategies as st

from d2c.redaction import PATTERNS
from tests.fuzz.fuzzing import fuzzed

ROOT = Path(__file__).parents[2]
ROOMS = ("d2c", "activities", "triggers", "orchestrators", "notebooks")
# Made of a value that is not known before: what it is made of, escaped, has one way to match.
MADE_LATER = {
    "d2c/canary/result.py": 1,
    "d2c/clients/azure/refusals.py": 2,
    "d2c/api/parameters.py": 1,
    "d2c/load_run/resuming/done_files.py": 1,
}
SHORT, LONG = 4_000, 20_000
# A character takes a millionth of a second at most; the square of LONG, some seconds.
SUSPICIOUS_SECONDS, MOST_SECONDS = 0.004, 0.25
SEPARATORS = ("", "-", " ", ".", "/", "=", '"', ":", "\n")
LONGEST_EXAMPLE = 40
AROUND = re.compile(r"\(\?(<?=|<!)")
# Of patterns that look around, for which none can be made up.
EXAMPLES = (
    "x%26sig%3Dabc",
    'client_secret="abc"',
    "\\'token\\':\\'abc\\'",
    "Basic abc1",
    "ftp://user:pw@host",
    "user:pw@host",
    "migrations/{id}",
)
# A pattern that is asked whether a text begins with it, or is it, has one start.
ONE_START = {"fullmatch", "match"}


FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
SOURCES = "\n".join(path.read_text() for path in FILES)


def _calls(path):
    """Return the calls of `re` in a file whose first argument is a pattern."""
    tree = ast.parse(path.read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    named = (call for call in calls if isinstance(call.func, ast.Attribute) and call.args)
    return [call for call in named if isinstance(call.func.value, ast.Name) and call.func.value.id == "re"]


def _found():
    """Return every pattern by its place, and the number of those that are made later, by file."""
    patterns, later = {}, {}
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        for call in _calls(path):
            if call.func.attr in ("escape", "Pattern"):
                continue
            try:
                pattern = _value(call.args[0], path)
            except NameError:
                later[name] = later.get(name, 0) + 1
            else:
                flags = re.IGNORECASE if "IGNORECASE" in ast.dump(call) else 0
                flags |= re.MULTILINE if "MULTILINE" in ast.dump(call) else 0
                method = "search" if _is_searched(call, path) else "fullmatch"
                patterns[f"{name}:{call.lineno}"] = (re.compile(pattern, flags), method)
    return patterns, later


def _is_searched(call, path):
    """Return whether a pattern has many starts in a text, by each use of the name that it is given."""
    if call.func.attr != "compile":
        return call.func.attr not in ONE_START
    name = path.read_text().splitlines()[call.lineno - 1].partition(" = ")[0]
    uses = re.findall(rf"\b{name}\.([a-z]+)\(", SOURCES)
    return not uses or not set(uses) <= ONE_START


def _value(node, path):
    if isinstance(node, ast.Constant):
        return node.value
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return eval(compile(ast.Expression(node), str(path), "eval"), vars(module))  # the product's own source


FOUND, LATER = _found()
EVERY = {**FOUND, **{f"redaction:{number}": (each, "search") for number, each in enumerate(PATTERNS)}}


def test_no_pattern_is_overlooked():
    assert LATER == {**MADE_LATER, "d2c/redaction.py": 1}
    assert len(FOUND) > 25


def examples_of(pattern):
    """Return a strategy for texts that a pattern matches, of simple characters."""
    if AROUND.search(str(pattern.pattern)):
        return st.sampled_from([text for text in EXAMPLES if pattern.search(text)])
    if isinstance(pattern.pattern, bytes):
        return st.from_regex(pattern, fullmatch=True)
    return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(max_codepoint=0x7E))


def worst_texts(example):
    """Return how to make texts that match nearly, by length: an example's begin, or its next character, repeated."""
    for end in range(1, min(len(example), LONGEST_EXAMPLE) + 1):
        begin, last = example[: end - 1], example[end - 1 : end]
        yield lambda length, begin=begin, last=last: begin + last * length
        for separator in SEPARATORS:
            part = begin + last + _like(example, separator)
            yield lambda length, part=part: part * (length // len(part) + 1)


def _like(example, text):
    return text if isinstance(example, str) else text.encode()


@pytest.mark.parametrize("place", EVERY)
def test_a_pattern_is_read_in_time_that_grows_with_the_text(place):
    pattern, method = EVERY[place]

    @fuzzed(examples_of(pattern), most=3)
    def within(example):
        assert not slow_with(pattern, method, example)

    within()


def test_a_pattern_that_begins_again_and_again_is_noticed():
    pattern = re.compile(r"(\beyJ)([\w-]+\.eyJ[\w-]+\.[\w-]+)")
    assert slow_with(pattern, "search", "eyJa.eyJa.a")


def slow_with(pattern, method, example):
    """Return whether a long text takes more than its length; only what takes long for a short one is tried with it."""
    return any(
        _seconds(pattern, method, text_of(SHORT)) > SUSPICIOUS_SECONDS
        and _seconds(pattern, method, text_of(LONG)) > MOST_SECONDS
        for text_of in worst_texts(example)
    )


def _seconds(pattern, method, text):
    """Return the time to read a text to its end: a search begins again behind what it has found."""
    started = time.thread_time()
    found = getattr(pattern, method)(text)
    if method == "search" and found:
        pattern.sub(lambda each: each[0], text)
    return time.thread_time() - started
