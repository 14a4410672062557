"""A stage's data files in groups, each a Spark job; those that earlier runs have done are not done again."""

import functools
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark import InheritableThread

from d2c.export_format import DataFile
from d2c.load_run.accounting import FileTally, is_sound
from d2c.load_run.counting.item_counts import OnTheirWay
from d2c.load_run.resuming.done_files import (
    GROUP_BYTES,
    SUFFIX,
    DoneGroup,
    group_name,
    group_text,
    is_group_of,
    parse_group,
    without_repeated,
)
from d2c.load_run.resuming.groups import AT_ONCE, Groups
from d2c.load_run.unit.turns import Turns, each_side_by_side
from d2c.spark_run.table_load import TableLoad

Outcome = tuple[Sequence[FileTally], dict[str, Any] | None]


@dataclass
class StageFiles:
    """The data files of a stage of a table's load.

    Args:
        load: the table's.
        stage: the stage.
        done: the groups that are done, by this run or earlier ones.
        on_their_way: how many items of a task may have been counted and not be done.
    """

    load: TableLoad
    stage: str
    done: list[DoneGroup] = field(default_factory=list)
    on_their_way: int = 0

    @functools.cached_property
    def began_at(self) -> int:
        """When the stage began, in the first run that did something of it, in epoch seconds."""
        return min((group.began_at for group in self.done), default=int(time.time()))

    @property
    def tallies(self) -> list[FileTally]:
        """The tallies of the files that are done, in the order of their names."""
        return sorted((tally for group in self.done for tally in group.tallies), key=lambda tally: tally.file)

    def run(self, do: Callable[[str, Sequence[DataFile]], Outcome]) -> None:
        """Do what is left, a group at a time while it is small, and up to two side by side.

        Args:
            do: takes a group's name and its files, and returns their tallies and their census, if they have one.
        """
        files = self.load.files
        known = {tally.file for tally in self.tallies}
        cores = self.load.spark.sparkContext.defaultParallelism
        ahead = OnTheirWay(self.on_their_way, 1 if self.load.is_small else cores)
        self.load.counts.expect(files, self.load.sizes, known, on_their_way=ahead)
        left = [file for file in files if file.name not in known]
        if known:
            print(f"{self.load.request.table}, {self.stage}: {len(known)} of {len(files)} files are done.")
        if self.load.is_small or len(left) <= cores:
            if left or not known:
                self._do(0, left, do)
            return
        self._do_each(Groups(left, cores), do)

    def _do_each(self, groups: Groups, do: Callable[[str, Sequence[DataFile]], Outcome]) -> None:
        numbers = itertools.count()

        def work(_: int) -> None:
            # In a new thread of the JVM, Spark finds the session once it has made a DataFrame of local rows.
            self.load.spark.createDataFrame([], "nothing int")
            try:
                while group := groups.take():
                    began = time.monotonic()
                    self._do(next(numbers), group, do)
                    groups.took(time.monotonic() - began)
            except BaseException:
                groups.stop()
                raise

        each_side_by_side(range(AT_ONCE), work, Turns(AT_ONCE), thread=InheritableThread)

    def _do(
        self, number: int, files: Sequence[DataFile], do: Callable[[str, Sequence[DataFile]], Outcome]
    ) -> None:
        name = group_name(self.load.request, self.stage, number)
        tallies, census = do(name, files)
        group = DoneGroup(name, self.began_at, tuple(tallies), census)
        self.load.counts.finish(file.name for file in files)
        self.done.append(group)
        listed = {file.name: file for file in files}
        if files and all(tally.file in listed and is_sound(listed[tally.file], tally) for tally in tallies):
            self._keep(group)

    def _keep(self, group: DoneGroup) -> None:
        text = group_text(self.load.request, group)
        if len(text.encode()) < GROUP_BYTES:
            self.load.put_done(f"{group.name}{SUFFIX}", text)


def stage_files(load: TableLoad, stage: str, on_their_way: int = 0) -> StageFiles:
    """Return the data files of a stage, with what earlier runs have done of them.

    Args:
        load: the table's.
        stage: the stage.
        on_their_way: as in `StageFiles`.
    """
    listed = {file.name: file for file in load.files}
    names = [name for name in load.done_names if is_group_of(name, stage)]
    found: Iterable[DoneGroup | None] = (
        parse_group(name.removesuffix(SUFFIX), load.read_done(name, GROUP_BYTES), load.request, listed)
        for name in names
    )
    return StageFiles(load, stage, without_repeated(group for group in found if group), on_their_way)
