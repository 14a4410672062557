import pytest

from localcloud.functions_host.triggers.blob import path_pattern
from localcloud.functions_host.triggers.blob_watch import shortest_prefixes
from localcloud.functions_host.triggers.http import aiohttp_paths, precedence


@pytest.mark.parametrize(
    ("route", "paths"),
    [
        ("migrations", ["/api/migrations"]),
        ("migrations/{id}/report", ["/api/migrations/{id}/report"]),
        ("orders/{id:int}", ["/api/orders/{id:-?[0-9]+}"]),
        ("orders/{id}/{part?}", ["/api/orders/{id}/{part}", "/api/orders/{id}"]),
        ("files/{*path}", ["/api/files/{path:.*}", "/api/files"]),
        ("openapi.json", ["/api/openapi.json"]),
    ],
)
def test_a_route_becomes_aiohttps_path(route, paths):
    assert aiohttp_paths("api", route) == paths


def test_a_blob_path_matches_names_of_its_form_only():
    pattern = path_pattern("exports/{migration}/{table}/manifest-summary.json")
    assert pattern.fullmatch("exports/m/Music/manifest-summary.json")
    assert not pattern.fullmatch("exports/m/Music/manifest-summary.md5")


def test_fixed_parts_are_tried_before_parameters_and_a_catch_all_last():
    paths = ["/api/{path:.*}", "/api/{id}", "/api/status", "/api/{id}/report"]
    assert sorted(paths, key=precedence) == ["/api/status", "/api/{id}", "/api/{id}/report", "/api/{path:.*}"]


@pytest.mark.parametrize(
    ("path", "matching", "other"),
    [
        # As BindingTemplateSource of azure-webjobs-sdk: ^(?<path>.*)/manifest\\.json$
        (
            "exports/{path}/m.json",
            ["exports/a/m.json", "exports/a/b/c/m.json", "exports//m.json"],
            ["exports/m.json"],
        ),
        (
            "plans/{name}.json",
            ["plans/a.json", "plans/a/b.json", "plans/.json"],
            ["plans/a.json5", "other/a.json"],
        ),
        ("plans/fixed.json", ["plans/fixed.json"], ["plans/fixedXjson"]),
        ("", ["anything", "at/all"], []),
    ],
)
def test_a_name_stands_for_any_text_as_in_the_extension(path, matching, other):
    pattern = path_pattern(path)
    assert all(pattern.fullmatch(blob) for blob in matching)
    assert not any(pattern.fullmatch(blob) for blob in other)


def test_a_container_is_listed_once_for_prefixes_within_each_other():
    assert shortest_prefixes(["exports/", "plans/", "exports/mine/", "plans/"]) == ["exports/", "plans/"]
    assert shortest_prefixes(["exports/", ""]) == [""]
