"""A second mapping of items to documents, written for comparison with the description, not for speed.

It shares no code with the product and has other tools: `json` with hooks, `Decimal`, one character at a time.
It finds every reason an item could be rejected for before it picks the one that wins.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MALFORMED, MISSING, UNKNOWN = "malformed_line", "missing_key", "unknown_type"
COLLISION, INEXACT = "name_collision", "inexact_number"
KEY_TOO_LONG, TOO_LARGE = "partition_key_too_long", "document_too_large"
SYSTEM_NAMES = ["_rid", "_self", "_etag", "_ts", "_attachments"]
TAGS = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]
DAY = 24 * 60 * 60


class NotJsonError(Exception):
    pass


@dataclass
class Table:
    """A table and the rules for it, as a plan has them."""

    keys: list[str]
    rules: dict[str, Any] = field(default_factory=dict)
    ttl_attribute: str | None = None

    @property
    def partition_key(self) -> list[str]:
        return self.rules.get("partition_key", self.keys[:1])

    @property
    def document_id(self) -> list[str]:
        if "document_id" in self.rules:
            return self.rules["document_id"]
        if len(self.keys) == 2 and self.partition_key == self.keys[:1]:
            return self.keys[1:]
        return self.keys

    @property
    def converts_ttl(self) -> bool:
        return self.ttl_attribute is not None and self.rules.get("ttl", "convert") == "convert"

    @property
    def constants(self) -> dict[str, Any]:
        return self.rules.get("set", {})

    def property_of(self, name: str) -> str:
        """The property that a top-level attribute becomes."""
        renamed = self.rules.get("rename", {})
        if name in renamed:
            return renamed[name]
        if name == "id":
            return "id" if self.document_id == ["id"] else "dynamodb_id"
        if name in SYSTEM_NAMES or name == "ttl":
            return "dynamodb_" + name
        return name


def map_line(line: bytes, table: Table, now: int) -> dict[str, Any]:
    """The outcome of a line: `{"document", "id", "partition_key", "expires_at"}`, `{"expired"}` or `{"rejected"}`."""
    try:
        item = read_item(line)
    except NotJsonError:
        return {"rejected": MALFORMED}
    reasons: set[str] = set()
    kept = {name: tagged for name, tagged in item.items() if name not in table.rules.get("drop", [])}
    numbers = table.rules.get("numbers", "exact")
    values = {name: value_of(tagged, numbers, 1, reasons) for name, tagged in kept.items()}
    if MALFORMED in reasons:
        return {"rejected": MALFORMED}
    if not all(is_key(item.get(name), ["S", "N", "B"]) for name in table.keys):
        return {"rejected": MISSING}
    others = [name for name in table.partition_key if name not in table.keys and name not in table.constants]
    if not all(is_key(item.get(name), ["S", "N", "B", "BOOL", "NULL"]) for name in others):
        return {"rejected": MISSING}
    if UNKNOWN in reasons:
        return {"rejected": UNKNOWN}
    expires_at = expiry_of(item.get(table.ttl_attribute), now) if table.converts_ttl else None
    if expires_at is not None and expires_at - now <= 0:
        return {"expired": expires_at}
    return document_of(item, values, table, reasons, expires_at, now)


def document_of(
    item: dict[str, Any],
    values: dict[str, Any],
    table: Table,
    reasons: set[str],
    expires_at: int | None,
    now: int,
) -> dict[str, Any]:
    document_id = id_of([item[name] for name in table.document_id])
    properties = [(table.property_of(name), value) for name, value in values.items()]
    properties += table.constants.items()
    if "id" in [name for name, _ in properties]:
        value = dict(properties)["id"]
        properties.remove(("id", value))
        if not (isinstance(value, str) and value == document_id):
            properties.append(("dynamodb_id", value))
    properties.append(("id", document_id))
    if expires_at is not None:
        properties.append(("ttl", min(expires_at - now, 2147483647)))
    document = dict(properties)
    if len(document) != len(properties):
        return {"rejected": COLLISION}
    if INEXACT in reasons:
        return {"rejected": INEXACT}
    key = [
        document[name if name in table.constants else table.property_of(name)] for name in table.partition_key
    ]
    texts = [value if isinstance(value, str) else json.dumps(value) for value in key]
    if len("".join(texts).encode()) > 2048:
        return {"rejected": KEY_TOO_LONG}
    if len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()) > 2_000_000:
        return {"rejected": TOO_LARGE}
    return {"document": document, "id": document_id, "partition_key": key, "expires_at": expires_at}


def read_item(line: bytes) -> dict[str, Any]:
    def no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise NotJsonError
        return dict(pairs)

    def refuse(text: str) -> None:
        raise NotJsonError

    try:
        record = json.loads(
            line.decode("utf-8"), object_pairs_hook=no_name_twice, parse_constant=refuse, parse_float=Decimal
        )
        json.dumps(record, ensure_ascii=False, default=str).encode("utf-8")  # refuses lone surrogates
    except (ValueError, RecursionError):
        raise NotJsonError from None
    if not isinstance(record, dict) or list(record) != ["Item"] or not isinstance(record["Item"], dict):
        raise NotJsonError
    return record["Item"]


def value_of(tagged: Any, numbers: str, depth: int, reasons: set[str]) -> Any:
    """The JSON value of a tagged value; its faults are added to the reasons."""
    if not isinstance(tagged, dict) or len(tagged) != 1:
        reasons.add(MALFORMED)
        return None
    [(tag, content)] = tagged.items()
    if tag not in TAGS:
        reasons.add(UNKNOWN)
        return None
    if tag in ("M", "L") and depth <= 32 and isinstance(content, dict if tag == "M" else list):
        if tag == "M":
            return {name: value_of(inner, numbers, depth + 1, reasons) for name, inner in content.items()}
        return [value_of(inner, numbers, depth + 1, reasons) for inner in content]
    if tag in ("SS", "NS", "BS"):
        return members_of(tag, content, numbers, reasons)
    if (
        (tag in ("S", "B", "N") and not isinstance(content, str))
        or (tag == "BOOL" and not isinstance(content, bool))
        or (tag == "NULL" and content is not True)
        or (tag == "B" and bytes_of(content) is None)
        or (tag == "N" and number_of(content) is None)
        or tag in ("M", "L")
    ):
        reasons.add(MALFORMED)
        return None
    if tag == "N":
        return json_number(content, numbers, reasons)
    return None if tag == "NULL" else content


def members_of(tag: str, content: Any, numbers: str, reasons: set[str]) -> Any:
    if not isinstance(content, list) or not content or not all(isinstance(text, str) for text in content):
        reasons.add(MALFORMED)
        return None
    order = {"SS": lambda text: text.encode(), "NS": number_of, "BS": bytes_of}[tag]
    sortable = [order(text) for text in content]
    if None in sortable or len(set(sortable)) != len(sortable):
        reasons.add(MALFORMED)
        return None
    members = sorted(content, key=order)
    return [json_number(text, numbers, reasons) for text in members] if tag == "NS" else members


def bytes_of(text: str) -> bytes | None:
    """The content of base64 in DynamoDB's form, otherwise None."""
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return content if base64.b64encode(content).decode() == text else None


def number_of(text: str) -> Decimal | None:
    """The value of a DynamoDB number: 38 digits between 1E-130 and 9.99…E+125, in 500 characters, otherwise None."""
    if len(text) > 500 or not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?", text):
        return None
    number = Decimal(text)
    if number == 0:
        return Decimal(0)
    digits = "".join(str(digit) for digit in number.as_tuple().digits).strip("0")
    return number if len(digits) <= 38 and -130 <= number.adjusted() <= 125 else None


def positional(number: Decimal) -> str:
    """The digits of a number, shifted by its exponent."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(str(digit) for digit in digits)
    if exponent >= 0:
        whole, fraction = text + "0" * exponent, ""
    else:
        text = text.rjust(-exponent + 1, "0")
        whole, fraction = text[:exponent], text[exponent:].rstrip("0")
    return ("-" if sign else "") + (whole.lstrip("0") or "0") + ("." + fraction if fraction else "")


def json_number(text: str, numbers: str, reasons: set[str]) -> Any:
    number = number_of(text)
    assert number is not None
    if numbers == "string":
        return positional(number)
    binary64 = float(text)
    if Decimal(repr(binary64)) == number:
        return int(number) if number == number.to_integral_value() and abs(number) <= 2**53 else binary64
    if numbers == "reject":
        reasons.add(INEXACT)
    return positional(number)


def is_key(tagged: Any, tags: list[str]) -> bool:
    if tagged is None:
        return False
    [(tag, content)] = tagged.items()
    return tag in tags and content != ""


def id_of(key_values: list[dict[str, str]]) -> str:
    texts = []
    for [(tag, content)] in [value.items() for value in key_values]:
        if tag == "N":
            texts.append(positional(number_of(content) or Decimal(0)))
        elif tag == "B":
            texts.append(content.replace("+", "-").replace("/", "_").replace("=", ""))
        else:
            texts.append(content)
    escaped = "|".join(escape(text, "|" if len(texts) > 1 else "") for text in texts)
    if len(escaped.encode()) > 1023 or escaped.startswith("sha256:"):
        return "sha256:" + hashlib.sha256(escaped.encode()).hexdigest()
    return {".": "~2E", "..": "~2E~2E"}.get(escaped, escaped)


def escape(text: str, more: str) -> str:
    escaped = ""
    for place, character in enumerate(text):
        at_an_end = place in (0, len(text) - 1)
        if (
            character in "~%/\\?#" + more
            or ord(character) < 0x20
            or ord(character) == 0x7F
            or (character == " " and at_an_end)
        ):
            escaped += "".join(f"~{byte:02X}" for byte in character.encode())
        else:
            escaped += character
    return escaped


def expiry_of(tagged: Any, now: int) -> int | None:
    """The second in which an item expires; None where DynamoDB would ignore the value."""
    if not isinstance(tagged, dict) or list(tagged) != ["N"] or not isinstance(tagged["N"], str):
        return None
    number = number_of(tagged["N"])
    if number is None or number < now - 5 * 365 * DAY:
        return None
    return int(min(number, Decimal(2**53)))
