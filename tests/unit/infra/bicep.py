"""Bicep files taken apart: what they declare, what they refer to, and which modules they call with what."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter
import tree_sitter_bicep

from ..pages import ROOT

INFRA = ROOT / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))
DECLARATIONS = {
    "parameter_declaration": "parameters",
    "variable_declaration": "variables",
    "resource_declaration": "resources",
    "module_declaration": "modules",
}
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
Node = tree_sitter.Node


@dataclass(frozen=True)
class Call:
    """A module's call: the file that it names, and the names of the parameters that it gives."""

    name: str
    path: str
    parameters: frozenset[str]


class Bicep:
    """One file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text()
        self.root = _PARSER.parse(self.text.encode()).root_node

    def nodes(self, *kinds: str) -> Iterator[Node]:
        return (node for node in walk(self.root) if node.type in kinds)

    def faults(self) -> list[str]:
        return [
            f"line {node.start_point[0] + 1}: {text(node)[:60]}"
            for node in walk(self.root)
            if node.type == "ERROR" or node.is_missing
        ]

    def declared(self, kind: str) -> dict[str, Node]:
        return {text(child_of(node, "identifier")): node for node in self.nodes(kind)}

    def parameters(self) -> dict[str, bool]:
        """Return the parameters by name, and whether each has a default."""
        found = self.declared("parameter_declaration")
        return {name: re.match(r"param \w+ \w+ = ", text(node)) is not None for name, node in found.items()}

    def outputs(self) -> dict[str, str]:
        pairs = re.findall(r"^output (\w+) \w+ = (.+)$", self.text, re.MULTILINE)
        assert len(pairs) == len(list(self.nodes("output_declaration")))
        return dict(pairs)

    def resource_types(self) -> list[str]:
        return [text(child_of(node, "string"))[1:-1] for node in self.nodes("resource_declaration")]

    def calls(self) -> list[Call]:
        found = []
        for name, node in self.declared("module_declaration").items():
            body = next(each for each in walk(node) if each.type == "object")
            given = properties(body)["params"]
            found.append(Call(name, text(child_of(node, "string"))[1:-1], frozenset(properties(given))))
        return found

    def references(self) -> set[str]:
        """Return the names that stand for something declared: not those of properties, functions or types."""
        return {
            text(node)
            for node in self.nodes("identifier")
            if not _is_name_of_something(node) and text(node) not in self._loop_names()
        }

    def _loop_names(self) -> set[str]:
        found: set[str] = set()
        for node in self.nodes("for_statement"):
            found |= set(re.findall(r"\w+", re.match(r"\[?for\s+(\(.*?\)|\w+)", text(node))[1]))
        return found

    def module_outputs_used(self) -> set[tuple[str, str]]:
        return set(re.findall(r"\b(\w+)\.outputs\.(\w+)", self.text))


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    return node.text.decode()


def child_of(node: Node, kind: str) -> Node:
    return next(child for child in node.children if child.type == kind)


def properties(node: Node) -> dict[str, Node]:
    """Return an object's members by name."""
    found = {}
    for member in node.children:
        if member.type == "object_property":
            name, *_, value = [child for child in member.children if child.is_named]
            found[text(name).strip("'")] = value
    return found


def _is_name_of_something(node: Node) -> bool:
    parent = node.parent
    first = parent.children[0] == node
    match parent.type:
        case "object_property":
            return first
        case "call_expression":
            return parent.child_by_field_name("function") == node
        case "type" | "decorator" | "output_declaration":
            return True
    return parent.type in DECLARATIONS and child_of(parent, "identifier") == node
