import re
from fnmatch import fnmatch

import azure.functions as func
import pytest

from d2c.report.page import TEMPLATES
from tests.unit.pages import ROOT
from triggers import dashboard

FOLDER = ROOT / "dashboard"
REPORT_STYLE = (TEMPLATES / "report.css").read_text()
APP = "https://my-app.azurewebsites.net/api/dashboard"


async def call(path=None, *, url=None, **headers):
    function = dashboard.show_dashboard if path is None else dashboard.show_dashboard_file
    request = func.HttpRequest(
        method="GET",
        url=url or APP + (f"/{path}" if path is not None else ""),
        headers=headers,
        route_params={} if path is None else {"path": path},
        body=b"",
    )
    return await function._function.get_user_function()(request)


def colours_of(style):
    """Return the values of the style's own properties, those for light before those for dark."""
    found = {}
    for name, value in re.findall(r"--([\w-]+): (#\w+)", style):
        found.setdefault(name, []).append(value)
    return found


async def test_the_address_of_the_dashboard_answers_with_the_page():
    answer = await call()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.get_body() == (FOLDER / "index.html").read_bytes()


@pytest.mark.parametrize("path", ["", None])
async def test_the_address_with_a_slash_at_its_end_leads_to_the_page(path):
    answer = await call(path, url=f"{APP}/?x=1")
    assert (answer.status_code, answer.headers["location"]) == (308, "../dashboard")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_a_file_comes_as_what_it_is(name, content_type):
    answer = await call(name)
    assert answer.headers["content-type"] == content_type
    assert answer.get_body() == (FOLDER / name).read_bytes()


async def test_a_file_that_the_caller_has_is_not_sent_again():
    tag = (await call("main.js")).headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        answer = await call("main.js", **{"If-None-Match": known})
        assert (answer.status_code, answer.get_body(), answer.headers["etag"]) == (304, b"", tag)
    assert (await call("main.js", **{"If-None-Match": '"other"'})).status_code == 200
    assert (await call("style.css")).headers["etag"] != tag


@pytest.mark.parametrize(
    "path",
    [
        "other.js",
        "../host.json",
        "..%2fhost.json",
        "/etc/passwd",
        "a/../main.js",
        "main.js/",
        "MAIN.JS",
        "main.js\0",
    ],
)
async def test_nothing_but_the_files_of_the_page_is_served(path):
    answer = await call(path)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert path not in answer.get_body().decode()


@pytest.mark.parametrize("path", [None, "", "main.js"])
async def test_the_browser_is_told_to_load_and_run_nothing_but_these_files(path):
    headers = (await call(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"
    assert headers["referrer-policy"] == "no-referrer"


def test_only_the_static_files_need_no_key():
    for function in (dashboard.show_dashboard, dashboard.show_dashboard_file):
        trigger = function._function.get_trigger()
        assert trigger.auth_level == func.AuthLevel.ANONYMOUS
        assert [str(getattr(method, "value", method)) for method in trigger.methods] == ["GET"]


def test_every_file_of_the_page_is_served():
    assert set(dashboard.FILES) == {path.name for path in FOLDER.iterdir()}


def test_every_file_that_the_page_refers_to_is_there():
    page = (FOLDER / "index.html").read_text()
    named = set(re.findall(r'(?:href|src)="dashboard/([^"]+)"', page))
    for script in FOLDER.glob("*.js"):
        named |= set(re.findall(r'(?:from|import) "\./([^"]+)"', script.read_text()))
    assert named | {"index.html"} == set(dashboard.FILES)


def test_the_page_is_part_of_what_is_deployed():
    patterns = [line.rstrip("/") for line in (ROOT / ".funcignore").read_text().splitlines() if line]
    for name in ("dashboard", *dashboard.FILES):
        assert [pattern for pattern in patterns if fnmatch(name, pattern)] == []


def test_no_text_becomes_markup_and_nothing_is_written_inline():
    for script in FOLDER.glob("*.js"):
        text = script.read_text()
        assert not re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text
        )
    page = (FOLDER / "index.html").read_text()
    assert not re.findall(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=)|https?:", page)


def test_the_page_has_the_colours_of_the_report():
    page = colours_of((FOLDER / "style.css").read_text())
    report = colours_of(REPORT_STYLE)
    assert {"page", "ink", "accent"} <= set(report)
    assert {name: page.get(name) for name in report} == report


def test_stages_have_the_colours_that_they_have_in_the_report():
    in_report = dict(re.findall(r"\.stage-(\w+) \{ background: (#\w+)", REPORT_STYLE))
    in_dashboard = dict(re.findall(r"\.colour-(\w+) \{ fill: (#\w+)", (FOLDER / "parts.css").read_text()))
    assert in_report.pop("replay")
    assert in_dashboard == in_report
