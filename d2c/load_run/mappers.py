"""The mapper of a load run: that of the plan's rules, then those of its replays, in order."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from d2c.errors import PlanError
from d2c.load_run.request import LoadRequest
from d2c.mapping import (
    Expired,
    KeySchema,
    Mapped,
    MappedShape,
    Mapper,
    Rejected,
    Rules,
    RulesError,
    compile_mapper,
    parse_rules,
)


class ChainedMapper:
    """Maps each item by the first of several rules that does not reject it.

    An item keeps its document from the load under any rules of a later replay.

    Args:
        mappers: one for each of the rules, with equal partition key, document id and time to live.
    """

    def __init__(self, mappers: Sequence[Mapper]) -> None:
        self._mappers = tuple(mappers)
        self.partition_key_properties = self._mappers[0].partition_key_properties

    @property
    def rules(self) -> Rules:
        """The first rules; partition key, document id and time to live are the same in all."""
        return self._mappers[0].rules

    def map_line(self, line: bytes, now: int) -> Mapped:
        """Like `Mapper.map_line`; an item that all rules reject has the reason from the last ones."""
        for mapper in self._mappers:
            mapped = mapper.map_line(line, now)
            if not isinstance(mapped, Rejected):
                break
        return mapped


AnyMapper = Mapper | ChainedMapper


def map_for_writing(mapper: AnyMapper, line: bytes, decided_at: int) -> Mapped:
    """Map an item at the time of its writing; an item rejected earlier stays rejected, even if it has expired since.

    Otherwise it would count as expired and also be among the rejected items.

    Args:
        mapper: the load run's.
        line: a line of a data file.
        decided_at: epoch seconds at which the rejected items were determined.
    """
    mapped = mapper.map_line(line, int(time.time()))
    if isinstance(mapped, Expired):
        earlier = mapper.map_line(line, decided_at)
        if isinstance(earlier, Rejected):
            return earlier
    return mapped


def table_mapper(
    hash_key: str,
    range_key: str | None,
    ttl_attribute: str | None,
    rules: Mapping[str, Any],
    mapped_shape: MappedShape | None = None,
    *,
    is_canonical: bool = False,
) -> Mapper:
    """Return the mapper for a table's keys and a plan's rules; a mapped shape, if given, records each item.

    A canonical mapper's bodies are those of digests (see `Mapper`).

    Raises:
        PlanError: with every fault of the rules.
    """
    try:
        parsed = parse_rules(rules, KeySchema(hash_key, range_key), ttl_attribute=ttl_attribute)
    except RulesError as error:
        raise PlanError([f"rules: {fault}" for fault in error.faults]) from error
    return compile_mapper(parsed, mapped_shape, is_canonical=is_canonical)


def request_mapper(request: LoadRequest, mapped_shape: MappedShape | None = None) -> AnyMapper:
    """Return the mapper of a load request; a mapped shape, if given, records each item."""
    mappers = request_mappers(request, mapped_shape)
    return mappers[0] if len(mappers) == 1 else ChainedMapper(mappers)


def request_mappers(request: LoadRequest, mapped_shape: MappedShape | None = None) -> list[Mapper]:
    """Return the mappers of the rules in a load request's history, in their order."""
    keys = request.hash_key, request.range_key, request.ttl_attribute
    return [table_mapper(*keys, rules, mapped_shape) for rules in request.rules_history]


def canonical_mapper(request: LoadRequest) -> Mapper | None:
    """Return a canonical mapper of a load request; None if its history has several rules.

    For sizes near a limit it is stricter than the load's mapper was, and where an item was rejected, the next rules had
    it.
    """
    if len(request.rules_history) > 1:
        return None
    keys = request.hash_key, request.range_key, request.ttl_attribute
    return table_mapper(*keys, request.rules_history[0], is_canonical=True)
