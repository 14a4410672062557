"""What the product asks Spark's status tracker, asked of a real one."""

import pytest

from d2c.load_run.progress import task_counts


@pytest.fixture
def group(spark):
    context = spark.sparkContext
    context.setJobGroup("told", "jobs whose tasks are counted")
    yield "told"
    context.setLocalProperty("spark.jobGroup.id", None)


def test_the_tasks_of_a_groups_jobs_are_counted_without_those_of_skipped_stages(spark, group):
    tracker = spark.sparkContext.statusTracker()
    assert task_counts(tracker, group, set()) == (0, 0)
    # Four tasks count, and one adds; its job knows the first four as a stage to skip.
    assert spark.range(0, 100, 1, 4).count() == 100
    assert task_counts(tracker, group, set()) == (5, 5)
    before = set(tracker.getJobIdsForGroup(group))
    assert spark.range(0, 100, 1, 3).count() == 100
    assert task_counts(tracker, group, before) == (4, 4)
