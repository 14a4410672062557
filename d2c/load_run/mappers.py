"""The mapper of a load run: that of the plan's rules, then those of replays, in their order."""

from collections.abc import Mapping, Sequence
from typing import Any

from d2c.errors import PlanError
from d2c.load_run.request import LoadRequest
from d2c.mapping import (
    KeySchema,
    Mapped,
    Mapper,
    Rejected,
    Rules,
    RulesError,
    compile_mapper,
    parse_rules,
)


class ChainedMapper:
    """Maps each item by the first of several rules that does not reject it.

    So an item keeps the document that it was loaded as, whatever rules a later replay has.

    Args:
        mappers: one for each of the rules, alike in all that decides where documents lie.
    """

    def __init__(self, mappers: Sequence[Mapper]) -> None:
        self._mappers = tuple(mappers)
        self.partition_key_properties = self._mappers[0].partition_key_properties

    @property
    def rules(self) -> Rules:
        """The first rules; partition key, document id and time to live are the same in all."""
        return self._mappers[0].rules

    def map_line(self, line: bytes, now: int) -> Mapped:
        """Return what `Mapper.map_line` does; an item that all the rules reject has the last ones' reason."""
        for mapper in self._mappers:
            mapped = mapper.map_line(line, now)
            if not isinstance(mapped, Rejected):
                break
        return mapped


AnyMapper = Mapper | ChainedMapper


def table_mapper(
    hash_key: str, range_key: str | None, ttl_attribute: str | None, rules: Mapping[str, Any]
) -> Mapper:
    """Return the mapper for a table's keys and a plan's rules.

    Raises:
        PlanError: with every fault of the rules.
    """
    try:
        parsed = parse_rules(rules, KeySchema(hash_key, range_key), ttl_attribute=ttl_attribute)
    except RulesError as error:
        raise PlanError([f"rules: {fault}" for fault in error.faults]) from error
    return compile_mapper(parsed)


def request_mapper(request: LoadRequest) -> AnyMapper:
    """Return the mapper of a load request."""
    keys = request.hash_key, request.range_key, request.ttl_attribute
    mappers = [table_mapper(*keys, rules) for rules in request.rules_history]
    return mappers[0] if len(mappers) == 1 else ChainedMapper(mappers)
