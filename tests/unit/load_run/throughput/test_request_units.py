import pytest

from d2c.load_run.throughput.request_units import (
    SYSTEM_PROPERTIES_BYTES,
    LoadSize,
    read_ru,
    size_of_documents,
    size_of_items,
    write_ru,
)

KB = 1024


def stored(kilobytes):
    """Return the size of a document that has so many KB with its system properties."""
    return kilobytes * KB - SYSTEM_PROPERTIES_BYTES


@pytest.mark.parametrize(
    ("kilobytes", "writing", "reading"),
    [
        (0.5, 5, 1),
        (1, 5, 1),
        (5.5, 9.5, 1.41),
        (10, 14, 1.82),
        (55, 32, 5.91),
        (100, 50, 10),
        (1000, 410, 91.8),
    ],
)
def test_a_document_costs_what_the_services_table_says_and_even_parts_between(kilobytes, writing, reading):
    assert write_ru(stored(kilobytes)) == pytest.approx(writing)
    assert read_ru(stored(kilobytes)) == pytest.approx(reading, rel=1e-2)


def test_a_table_is_estimated_by_the_mean_size_of_its_items_and_by_its_indexes():
    assert size_of_items(1000, int(stored(10)) * 1000, 1.5) == LoadSize(int(stored(10)) * 1000, 21_000)
    assert size_of_items(0, 0, 2.0) == LoadSize(0, 0)


def test_a_census_is_multiplied_by_the_indexes():
    assert size_of_documents(5_000, 100, 1.15) == LoadSize(5_000, 115)
