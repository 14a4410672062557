import pytest

from localcloud.functions_host.triggers import http
from localcloud.functions_host.triggers.blob import path_pattern
from localcloud.functions_host.triggers.blob_watch import shortest_prefixes


@pytest.mark.parametrize(
    ("route", "path", "parts"),
    [
        ("migrations", "/api/migrations/", {}),
        ("migrations", "/api/migrations/m", None),
        ("migrations/{id}/report", "/api/migrations/m/report", {"id": "m"}),
        ("orders/{id:int}", "/api/orders/12", {"id": "12"}),
        ("orders/{id:int}", "/api/orders/x", None),
        ("orders/{id}/{part?}", "/api/orders/1", {"id": "1", "part": None}),
        ("files/{*path}", "/api/files/a/b.js", {"path": "a/b.js"}),
        ("files/{*path}", "/api/files", {"path": None}),
        ("openapi.json", "/api/openapiXjson", None),
    ],
)
def test_a_route_takes_paths_of_its_form_only(route, path, parts):
    match = http.path_pattern("api", route).fullmatch(path)
    assert (match and match.groupdict()) == parts


def test_a_blob_path_matches_names_of_its_form_only():
    pattern = path_pattern("exports/{migration}/{table}/manifest-summary.json")
    assert pattern.fullmatch("exports/m/Music/manifest-summary.json")
    assert not pattern.fullmatch("exports/m/Music/manifest-summary.md5")


@pytest.mark.parametrize(
    ("path", "matching", "other"),
    [
        (
            "exports/{path}/m.json",
            ["exports/a/m.json", "exports/a/b/c/m.json", "exports//m.json", "exports/m.json"],
            ["exportsm.json", "exports/am.json"],
        ),
        (
            "plans/{name}.json",
            ["plans/a.json", "plans/a/b.json", "plans/.json", "plans/a.JSON"],
            ["plans/a.json5", "other/a.json"],
        ),
        ("plans/fixed.json", ["plans/fixed.json"], ["plans/fixedXjson"]),
        ("", ["anything", "at/all"], []),
    ],
)
def test_a_name_stands_for_any_text_as_with_the_extension(path, matching, other):
    pattern = path_pattern(path)
    assert all(pattern.fullmatch(blob) for blob in matching)
    assert not any(pattern.fullmatch(blob) for blob in other)


def test_a_container_is_listed_once_for_prefixes_within_each_other():
    assert shortest_prefixes(["exports/", "plans/", "exports/mine/", "plans/"]) == ["exports/", "plans/"]
    assert shortest_prefixes(["exports/", ""]) == [""]


@pytest.mark.parametrize("path", ["plans/{name}.json", "exports", ""])
def test_a_blob_with_a_line_break_in_its_name_fires(path):
    assert path_pattern(path.partition("/")[2]).fullmatch("a\nb.json")
