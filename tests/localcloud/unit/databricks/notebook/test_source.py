import pytest

from localcloud.databricks.notebook.source import NotebookError, parse_notebook

NOTEBOOK = """# Databricks notebook source
# MAGIC %md
# MAGIC # A title

# COMMAND ----------

a = 1
# COMMAND is also a word

# COMMAND ----------


# COMMAND ----------

b = a
"""


def test_cells_of_python_keep_their_numbers():
    assert [(cell.number, cell.code) for cell in parse_notebook(NOTEBOOK)] == [
        (2, "a = 1\n# COMMAND is also a word\n"),
        (4, "b = a\n"),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a = 1\n", "does not begin with"),
        ("# Databricks notebook source\n# MAGIC %sql\n# MAGIC select 1\n", "%sql"),
        ("# Databricks notebook source\na = 1\n# COMMAND ----------\n# MAGIC %run ./x\n", "Cell 2 .*%run"),
    ],
)
def test_what_cannot_run_here_is_refused(text, named):
    with pytest.raises(NotebookError, match=named):
        parse_notebook(text)
