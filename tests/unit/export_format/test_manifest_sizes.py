import pytest

from d2c.export_format import ExportFormatError
from d2c.export_format.manifest import MANIFEST_FILES, MOST_BYTES, check_sizes


def test_every_manifest_has_a_bound():
    assert set(MOST_BYTES) == set(MANIFEST_FILES)


def test_manifests_of_any_size_that_is_read_whole_and_other_files_pass():
    check_sizes({})
    check_sizes({**MOST_BYTES, "d2c-not-loaded.json": 2**40})


@pytest.mark.parametrize("name", MOST_BYTES)
def test_a_larger_one_is_named_with_its_size_and_the_bound(name):
    with pytest.raises(
        ExportFormatError, match=f"{name} has .* bytes, and no more than {MOST_BYTES[name]:,} are"
    ):
        check_sizes({**MOST_BYTES, name: MOST_BYTES[name] + 1})
