"""Code on the pages does what the product does: it is parsed, and what it names is there."""

import json
import re
import shlex

import pytest
import typer
import yaml

from d2c.app.logs import FIELDS
from d2c.app.observing import MEASURES
from d2c.cli import app
from d2c.plan.model import parse_plan
from tests.unit.pages import ROOT, code_blocks, pages, table_rows, text_of
from tools.write_plan_reference import PAGE as REFERENCE
from tools.write_plan_reference import plan_reference_text

DIMENSIONS = {*FIELDS, "state"}
HANDED_OVER = ("local", "demo")
SETTING = re.compile(r"\bD2C_[A-Z0-9]+(?:_[A-Z0-9]+)*(?:__\w+)?")
ROOMS = (
    "d2c",
    "activities",
    "triggers",
    "orchestrators",
    "function_app.py",
    "notebooks",
    "adf",
    "infra",
    "azure.yaml",
    "localcloud/src/localcloud/functions_host/extension",
)
SUFFIXES = (".py", ".json", ".bicep", ".bicepparam", ".yaml", ".yml", ".sh")


def name(page):
    return str(page.relative_to(ROOT))


def blocks(*languages):
    return [
        pytest.param(block, id=f"{name(page)} {number}")
        for page in pages()
        for language in languages
        for number, block in enumerate(code_blocks(page.read_text(), language))
    ]


def d2c_commands():
    """Return every command line of `d2c` on the pages, without comments and without what a shell fills in."""
    found = []
    for page in pages():
        text = page.read_text()
        for block in [block for language in ("", "sh", "bash") for block in code_blocks(text, language)]:
            for line in block.replace("\\\n", " ").splitlines():
                line = re.sub(r"^(\s*\$ )?(export \S+ )*", "", line).strip()
                if re.match(r"d2c( |$)", line):
                    found.append(
                        pytest.param(shlex.split(line, comments=True), id=f"{name(page)}: {line[:60]}")
                    )
    return found


def make_targets():
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


@pytest.mark.parametrize("block", blocks("python"))
def test_python_on_a_page_compiles(block):
    compile(block, "page", "exec")


@pytest.mark.parametrize("block", blocks("yaml", "yml"))
def test_yaml_on_a_page_is_yaml(block):
    assert list(yaml.safe_load_all(block))


@pytest.mark.parametrize("block", [block for block in blocks("json") if '"tables"' in block.values[0]])
def test_a_plan_on_a_page_is_one(block):
    value = json.loads(block)
    if isinstance(value.get("tables"), list) and "name" in value and "id" not in value:
        parse_plan(block.encode())


@pytest.mark.parametrize("words", d2c_commands())
def test_a_command_on_a_page_exists_with_its_options(words):
    command = typer.main.get_command(app)
    rest = words[1:]
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    if words[1:2] and words[1] in HANDED_OVER:
        return
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    known |= {"--help", "--version", "--install-completion", "--show-completion"}
    assert not hasattr(command, "commands") or rest[:1] == [] or rest[0].startswith("-"), (
        f"no command {rest[0]}"
    )
    stop = next((place for place, word in enumerate(rest) if word in ("|", ">", "2>", "&&", ";")), len(rest))
    assert {word.partition("=")[0] for word in rest[:stop] if re.match(r"--?[a-z]", word)} <= known


@pytest.mark.parametrize("page", pages(), ids=name)
def test_make_targets_on_a_page_exist(page):
    text = page.read_text()
    named = set(re.findall(r"`make ([a-z-]+)`", text)) | set(
        re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)
    )
    assert named <= make_targets()


def settings_in_the_code():
    """Return every setting that the code or the infrastructure names, and those that azd only tells as outputs."""
    files = [
        file
        for room in ROOMS
        for file in ((ROOT / room).rglob("*") if (ROOT / room).is_dir() else [ROOT / room])
    ]
    texts = [file.read_text() for file in files if file.is_file() and file.suffix in SUFFIXES]
    named = {setting for text in texts for setting in SETTING.findall(text)}
    outputs = {name for text in texts for name in re.findall(r"^output (D2C_\w+)", text, re.MULTILINE)}
    return named, outputs


def test_every_setting_that_a_page_names_is_one_that_the_code_knows_and_the_other_way_round():
    on_pages = {setting for page in pages() for setting in SETTING.findall(page.read_text())}
    named, outputs = settings_in_the_code()
    assert on_pages <= named
    assert named - outputs <= on_pages


def kql_blocks():
    workbook = json.loads((ROOT / "infra" / "workbook.json").read_text())
    queries = [item["content"]["query"] for item in workbook["items"] if item["type"] == 3]
    return code_blocks(text_of("operate/operations.md"), "kql"), queries


def test_the_workbook_asks_what_the_page_says():
    on_page, in_workbook = kql_blocks()
    assert [query.strip() for query in on_page] == in_workbook
    assert len(in_workbook) >= 6


@pytest.mark.parametrize("query", kql_blocks()[1])
def test_a_query_names_only_what_is_sent(query):
    assert set(re.findall(r'"(d2c\.[\w.]+)"', query)) <= set(MEASURES)
    assert set(re.findall(r"customDimensions\.(\w+)", query)) <= DIMENSIONS
    assert query.split()[0] in ("customMetrics", "dependencies", "traces")


def test_the_page_has_every_metric_and_no_other():
    rows = table_rows(text_of("operate/operations.md"), "## Metrics, traces and the workbook")
    told = {row[0].strip("`"): row[1] for row in rows if len(row) == 4}
    assert told == {name: kind for name, (kind, _) in MEASURES.items()}


def test_the_example_of_a_line_of_the_log_has_the_fields():
    (line,) = [block for block in code_blocks(text_of("operate/operations.md"), "json") if "run_key" in block]
    # A check is of no migration, and a copy of no unit.
    assert {*FIELDS} - {"check", "unit"} <= json.loads(line).keys()


def test_the_plans_reference_is_that_of_the_model():
    assert REFERENCE.read_text() == plan_reference_text(), (
        "run: .venv/bin/python -m tools.write_plan_reference"
    )


def test_the_index_leads_to_every_page():
    index = text_of("README.md")
    docs = ROOT / "docs"
    others = {str(page.relative_to(docs)) for page in docs.rglob("*.md")} - {"README.md"}
    assert {other for other in others if f"({other}" not in index} == set()
