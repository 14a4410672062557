"""The kinds of operations on a migration, and what each of them does: a new kind begins here."""

from dataclasses import dataclass
from typing import Final, Literal, TypedDict, TypeGuard, get_args

from d2c.shapes.answers import State

START: Final = "start"
RETRY: Final = "retry"
VERIFY: Final = "verify"
REPLAY: Final = "replay"
# They compare, or add to, what a migration has loaded.
ComparingKind = Literal["verify", "replay"]
# A caller requests them of a migration that has ended.
RequestedKind = Literal["retry", ComparingKind]
OperationKind = Literal["start", RequestedKind]


@dataclass(frozen=True)
class Kind:
    """What the operations of a kind do.

    Attributes:
        is_migrating: they take tables through all stages, and the migration's instance and state are theirs.
        table_states: of the tables that they take; empty for the start, before which no table has a state.
        load_stages: the stages of their load runs.
        needs_load: they take only tables of which documents were loaded.
    """

    is_migrating: bool
    table_states: tuple[State, ...]
    load_stages: tuple[str, ...]
    needs_load: bool = False


class Kinds(TypedDict):
    """Every kind: with one missing here, mypy refuses each look-up."""

    start: Kind
    retry: Kind
    verify: Kind
    replay: Kind


ALL_STAGES = ("assess", "load", "verify")
ENDED: tuple[State, ...] = get_args(State)
KINDS: Final[Kinds] = {
    "start": Kind(is_migrating=True, table_states=(), load_stages=ALL_STAGES),
    "retry": Kind(is_migrating=True, table_states=("failed", "cancelled"), load_stages=ALL_STAGES),
    "verify": Kind(is_migrating=False, table_states=ENDED, load_stages=("verify",)),
    "replay": Kind(is_migrating=False, table_states=ENDED, load_stages=("replay", "verify"), needs_load=True),
}
OPERATION_KINDS: tuple[OperationKind, ...] = get_args(OperationKind)
MIGRATING: tuple[OperationKind, ...] = tuple(kind for kind in OPERATION_KINDS if KINDS[kind].is_migrating)


def is_comparing(kind: OperationKind) -> TypeGuard[ComparingKind]:
    """Return whether operations of a kind compare, or add to, what is loaded; the others migrate."""
    return kind not in MIGRATING
