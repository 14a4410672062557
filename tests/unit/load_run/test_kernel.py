"""How the kernel is found, and what the run's output says of it; tests/kernel has what it does."""

import sys
from types import SimpleNamespace

import pyarrow as pa
import pytest

from d2c.load_run.accounting import FileTally
from d2c.load_run.batches import pack
from d2c.load_run.kernel import items
from d2c.load_run.kernel import module as native
from d2c.load_run.kernel.rules import DOCUMENTS

from ..mapping.helpers import mapper_of


@pytest.fixture(autouse=True)
def found_anew(monkeypatch):
    monkeypatch.delenv(native.SWITCH, raising=False)
    native.native.cache_clear()
    yield
    native.native.cache_clear()


def put_module(monkeypatch, module):
    monkeypatch.setitem(sys.modules, native.MODULE, module)


def test_without_a_kernel_the_mapper_gets_all_lines(monkeypatch):
    put_module(monkeypatch, None)
    module, word = native.native()
    assert (module, word) == (
        None,
        "The native kernel is not installed; items are mapped in Python, which is slower.",
    )
    lines = items.lines_mapper(mapper_of().rules, DOCUMENTS, lambda: 0)
    assert list(lines.left_of(b"a\n\nb", FileTally("f"))) == [b"a", b"", b"b"]
    assert (list(lines.emit((1,))), list(lines.batches(to_the_end=True))) == ([(1,)], [])


def test_a_kernel_of_another_version_is_not_used(monkeypatch):
    put_module(monkeypatch, SimpleNamespace(VERSION=0))
    module, word = native.native()
    assert module is None
    assert "has version 0, and this d2c needs" in word


def test_a_kernel_can_be_switched_off(monkeypatch):
    put_module(monkeypatch, SimpleNamespace(VERSION=native.VERSION))
    assert native.native()[1] == "Items are mapped by the native kernel."
    native.native.cache_clear()
    monkeypatch.setenv(native.SWITCH, "off")
    assert native.native() == (
        None,
        "The native kernel is switched off (D2C_KERNEL); items are mapped in Python.",
    )


def test_a_kernel_that_does_not_load_is_said_with_its_cause(monkeypatch):
    def fail(name):
        raise ImportError("wrong ELF class")

    monkeypatch.setattr(native.importlib, "import_module", fail)
    module, word = native.native()
    assert module is None
    assert "cannot be used here (wrong ELF class)" in word


def test_batches_stand_between_the_rows_before_and_after_them():
    schema = pa.schema([("n", pa.int64())])
    rows = [(1,), (2,), pa.RecordBatch.from_pydict({"n": [3, 4]}, schema=schema), (5,)]
    assert [batch.column("n").to_pylist() for batch in pack(iter(rows), schema)] == [[1, 2], [3, 4], [5]]
