import pytest

from localcloud.databricks.notebook.dbutils import NotebookExit
from localcloud.databricks.notebook.runner import run_notebook

HEADER = "# Databricks notebook source\n"
NEXT = "\n# COMMAND ----------\n"


def end(value):
    raise NotebookExit(value)


def run(*cells):
    return run_notebook(HEADER + NEXT.join(cells), "/Shared/n", {"end": end})


def test_cells_share_one_namespace_and_the_exit_value_is_the_result():
    assert run("a = 1", "end(str(a + 1))", "1 / 0") == {"result": "2"}


def test_a_notebook_without_an_exit_has_no_result():
    assert run("a = 1") == {}


def test_an_exit_within_a_broad_except_is_swallowed_as_on_databricks():
    assert run("try:\n    end('x')\nexcept Exception:\n    pass") == {}


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("def (", "SyntaxError: "),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
    ],
)
def test_errors_are_told_with_a_trace_that_names_the_cell(cell, error):
    outcome = run("a = 1", cell)
    assert outcome["error"].startswith(error)
    assert '"/Shared/n, cell 2", line 1' in outcome["error_trace"]


def test_a_notebook_in_another_format_is_an_error_in_words():
    assert "does not begin with" in run_notebook("a = 1\n", "/Shared/n", {})["error"]


def test_functions_of_a_notebook_belong_to_its_own_main_module():
    assert run("def f(): pass", "end(f.__module__ + ' ' + __name__)") == {"result": "__main__ __main__"}
