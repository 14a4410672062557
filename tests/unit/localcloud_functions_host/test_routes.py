import pytest

from localcloud.functions_host.blob_trigger import path_pattern
from localcloud.functions_host.http_functions import aiohttp_paths


@pytest.mark.parametrize(
    ("route", "paths"),
    [
        ("migrations", ["/api/migrations"]),
        ("migrations/{id}/report", ["/api/migrations/{id}/report"]),
        ("orders/{id:int}", ["/api/orders/{id:-?[0-9]+}"]),
        ("orders/{id}/{part?}", ["/api/orders/{id}/{part}", "/api/orders/{id}"]),
        ("files/{*path}", ["/api/files/{path:.*}"]),
    ],
)
def test_a_route_becomes_aiohttps_path(route, paths):
    assert aiohttp_paths("api", route) == paths


def test_a_blob_path_matches_names_of_its_form_only():
    pattern = path_pattern("exports/{migration}/{table}/manifest-summary.json")
    assert pattern.fullmatch("exports/m/Music/manifest-summary.json")
    assert not pattern.fullmatch("exports/m/Music/manifest-summary.md5")
