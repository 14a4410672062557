"""The definitions that were published to the factory, kept in a file so that a restart meets the same ones."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.data_factory.definitions.checks import check
from localcloud.data_factory.definitions.shapes import Definitions

Json = dict[str, Any]
# The kinds by the names of their collections in the API, which know no upper case.
KINDS = {"linkedservices": "linkedService", "datasets": "dataset", "pipelines": "pipeline"}


class DefinitionStore:
    """The factory's definitions; whoever holds ``current`` sees each change.

    Args:
        path: the file.
        first: what is there before anything was published.
    """

    def __init__(self, path: Path, first: Definitions) -> None:
        self._path = path
        kept: Json = json.loads(path.read_bytes()) if path.exists() else {}
        self._by_kind: dict[str, dict[str, Json]] = {
            kind: {**found, **kept.get(kind, {})}
            for kind, found in (
                ("pipeline", first.pipelines),
                ("dataset", first.datasets),
                ("linkedService", first.linked_services),
            )
        }
        self._global_parameters = {**first.global_parameters, **kept.get("globalParameters", {})}
        self.factory: Json = kept.get("factory", {})
        self.current = Definitions(
            self._by_kind["pipeline"],
            self._by_kind["dataset"],
            self._by_kind["linkedService"],
            self._global_parameters,
        )

    def find(self, kind: str, name: str) -> Json | None:
        """Return a definition's properties, or None."""
        return self._by_kind[kind].get(name)

    def faults_of(self, kind: str, name: str, properties: Json) -> list[str]:
        """Return why a definition cannot be carried out here together with the stored ones; nothing if it can."""
        candidates = {**self._by_kind, kind: {**self._by_kind[kind], name: properties}}
        whole = Definitions(
            candidates["pipeline"],
            candidates["dataset"],
            candidates["linkedService"],
            self._global_parameters,
        )
        return list(check(whole, kind, properties))

    def faults(self) -> list[str]:
        """Return why what is published cannot be carried out as a whole: a definition changes alone."""
        return [
            f"{kind} {name}: {fault}"
            for kind, definitions in self._by_kind.items()
            for name, properties in definitions.items()
            for fault in check(self.current, kind, properties)
        ]

    def put(self, kind: str, name: str, properties: Json) -> None:
        """Keep a definition."""
        self._by_kind[kind][name] = properties
        self._write()

    def set_factory(self, factory: Json, global_parameters: Mapping[str, Any]) -> None:
        """Keep what the factory itself is, and all of its global parameters' values."""
        self.factory = factory
        self._global_parameters.clear()
        self._global_parameters.update(global_parameters)
        self._write()

    @property
    def global_parameters(self) -> Mapping[str, Any]:
        """The values of the factory's global parameters."""
        return self._global_parameters

    def _write(self) -> None:
        content = {
            **self._by_kind,
            "globalParameters": self._global_parameters,
            "factory": self.factory,
        }
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content))
        unfinished.replace(self._path)
