"""`d2c map`: show how exported items become documents, without any cloud."""

import gzip
import io
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import orjson
import typer

from d2c.cli.files import STANDARD_INPUT, load_rules, read_file
from d2c.mapping import (
    Document,
    Expired,
    KeySchema,
    Mapped,
    Mapper,
    Rules,
    RulesError,
    compile_mapper,
    parse_rules,
)
from d2c.mapping.explanation import explain
from d2c.mapping.names import is_name

EXIT_DONE = 0
EXIT_UNREADABLE = 1
EXIT_INVALID_RULES = 2
EXIT_REJECTED = 3

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(slots=True)
class Tally:
    """The number of items read, by outcome."""

    items: int = 0
    documents: int = 0
    rejected: int = 0
    expired: int = 0


@dataclass(slots=True)
class Explanation:
    """How often each rule was applied, with the first example."""

    times: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, line: bytes, mapped: Mapped, rules: Rules, source: str) -> None:
        """Add the rules applied to one item."""
        for rule, example in explain(line, mapped, rules):
            self.times[rule] += 1
            self.examples.setdefault(rule, f"{example} ({source})")

    def lines(self) -> Iterator[str]:
        """Yield one line for each applied rule, the most frequent first."""
        for rule, times in self.times.most_common():
            yield f"{rule}: {times:,} {'time' if times == 1 else 'times'}, first: {self.examples[rule]}"


def map_command(
    keys: Annotated[
        str, typer.Option(help="The table's key attributes, HASH[,RANGE] or a JSON array of names.")
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Data files (.json.gz or plain JSON lines); standard input if none or '-'."),
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with the rules, a JSON object; - is standard input."),
    ] = None,
    ttl_attribute: Annotated[
        str | None, typer.Option(help="The table's time-to-live attribute, if it has one.")
    ] = None,
    now: Annotated[int | None, typer.Option(help="Write time in epoch seconds; now if not given.")] = None,
    rejected: Annotated[
        Path | None, typer.Option(help="File for rejected items; standard error if not given.")
    ] = None,
    explain_rules: Annotated[
        bool,
        typer.Option("--explain", help="Report on standard error which rules were applied, with an example."),
    ] = False,
) -> None:
    """Show how the items of an export become documents.

    Writes one document per line to standard output in the order of the input, and finally the counts to
    standard error. Exit status: 0 done, 1 a file could not be read completely, 2 invalid rules,
    3 an item was rejected.
    """
    sources = files or [STANDARD_INPUT]
    if rules == STANDARD_INPUT and STANDARD_INPUT in sources:
        raise typer.BadParameter(
            "standard input cannot provide both rules and data; name a file for one of them"
        )
    mapper = compile_mapper(_read_rules(rules, _parse_keys(keys), ttl_attribute))
    explanation = Explanation() if explain_rules else None
    tally = Tally()
    written_at = int(time.time()) if now is None else now
    with ExitStack() as stack:
        rejects = stack.enter_context(_open_for_writing(rejected)) if rejected else sys.stderr.buffer
        unreadable = [
            fault
            for file in sources
            if (fault := _map_file(file, mapper, written_at, tally, rejects, explanation))
        ]
    for text in [*unreadable, *(explanation.lines() if explanation else ())]:
        typer.echo(text, err=True)
    typer.echo(orjson.dumps(asdict(tally)), err=True)
    if unreadable:
        raise typer.Exit(EXIT_UNREADABLE)
    raise typer.Exit(EXIT_REJECTED if tally.rejected else EXIT_DONE)


def _map_file(
    file: str, mapper: Mapper, now: int, tally: Tally, rejects: BinaryIO, explanation: Explanation | None
) -> str | None:
    """Map the readable lines of one file; return the fault that stopped reading, if any."""
    output = sys.stdout.buffer
    lines = _read_lines(file)
    number = 0
    while True:
        # Only read errors are this file's: an error of writing must not be reported as one.
        try:
            line = next(lines, None)
        except (OSError, EOFError, zlib.error) as error:
            cause = getattr(error, "strerror", None) or error
            return f"{file}: cannot be read completely ({cause}); download the file again"
        if line is None:
            output.flush()
            return None
        number += 1
        tally.items += 1
        mapped = mapper.map_line(line, now)
        if explanation:
            explanation.add(line, mapped, mapper.rules, f"{file}, line {number}")
        if isinstance(mapped, Document):
            tally.documents += 1
            output.write(mapped.body + b"\n")
        elif isinstance(mapped, Expired):
            tally.expired += 1
        else:
            tally.rejected += 1
            rejects.write(mapped.to_json_line(file, number) + b"\n")


def _read_lines(file: str) -> Iterator[bytes]:
    """Yield the lines of a file, or of standard input for `-`; an empty last line is ignored."""
    with ExitStack() as stack:
        stream: Any = _open_stream(file, stack)
        if stream.peek(2)[:2] == _GZIP_MAGIC:
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
        elif file.endswith(".gz"):
            raise gzip.BadGzipFile("it has no gzip header")
        empty_before = False
        for line in stream:
            if empty_before:
                yield b""
            line = line.rstrip(b"\r\n")
            empty_before = not line
            if line:
                yield line


def _open_stream(file: str, stack: ExitStack) -> Any:
    """Open a file or standard input for peeking; the stack closes it."""
    if file == STANDARD_INPUT:
        stream: Any = io.BufferedReader(sys.stdin.buffer)
        stack.callback(stream.detach)
        return stream
    return stack.enter_context(Path(file).open("rb"))


def _open_for_writing(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written ({error.strerror}); name another file") from None


def _parse_keys(text: str) -> KeySchema:
    """Parse a key schema: `HASH[,RANGE]` or a JSON array of one or two names."""
    names: Any = text.split(",")
    if text.lstrip().startswith("["):
        try:
            names = orjson.loads(text)
        except orjson.JSONDecodeError:
            names = []
    if not 1 <= len(names) <= 2 or not all(map(is_name, names)) or len(set(names)) != len(names):
        raise typer.BadParameter(
            f"--keys must be HASH, HASH,RANGE or a JSON array of one or two different names, not {text!r}"
        )
    return KeySchema(*names)


def _read_rules(path: str | None, key_schema: KeySchema, ttl_attribute: str | None) -> Rules:
    try:
        rules = load_rules(read_file(path, "rules"), path) if path else {}
        return parse_rules(rules, key_schema, ttl_attribute=ttl_attribute)
    except RulesError as error:
        for fault in error.faults:
            typer.echo(f"invalid rules: {fault}", err=True)
        raise typer.Exit(EXIT_INVALID_RULES) from None
