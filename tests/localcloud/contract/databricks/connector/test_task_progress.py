"""What the product asks Spark's status tracker, asked of a real one."""

from d2c.load_run.progress import task_counts


def counted(spark, tag):
    jobs = spark.sparkContext._jsc.sc().statusTracker().getJobIdsForTag(tag)
    return task_counts(spark.sparkContext.statusTracker(), jobs)


def test_the_tasks_of_a_tags_jobs_are_counted_without_those_of_skipped_stages(spark):
    context = spark.sparkContext
    for tag, parts, tasks in (("d2c-1", 4, 5), ("d2c-2", 3, 4)):
        assert counted(spark, tag) == (0, 0)
        context.addJobTag(tag)
        # So many tasks count, and one adds; its job knows the first ones as a stage to skip.
        assert spark.range(0, 100, 1, parts).count() == 100
        context.removeJobTag(tag)
        assert counted(spark, tag) == (tasks, tasks)
