from d2c.load_run.spark_errors import LONGEST_CAUSE, readable_cause, unexpected

REFUSED = (
    "An error occurred while calling o58.save.\n: org.apache.spark.SparkException: [WRITING_JOB_ABORTED] "
    "Writing job was aborted.\n\tat org.apache.spark.sql.Errors$.writingJobAbortedError(Errors.scala:9)\n"
    "Caused by: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 4.0 failed 4 times"
    ": com.azure.cosmos.spark.BulkWriter$BulkOperationFailedException: All retries exhausted for 'UPSERT' bulk "
    'operation - statusCode=[413:0] itemId=[k7], partitionKeyValue=[["a"]]\n\tat com.azure.cosmos.X.y(X.scala:1)\n'
)


def test_the_document_that_cosmos_db_refused_is_told_though_it_is_a_later_cause():
    error = unexpected("Music", RuntimeError(REFUSED))
    assert "[WRITING_JOB_ABORTED]" in error.detail
    assert "statusCode=[413:0] itemId=[k7]" in error.detail
    assert error.title == "Cosmos DB refused a document"
    assert "rules.drop" in error.next_step


def test_its_cause_is_not_cut_by_a_long_beginning():
    assert "itemId=[k7]" in readable_cause("x" * LONGEST_CAUSE + REFUSED)


def test_any_other_error_says_where_more_is_told():
    error = unexpected("Music", RuntimeError("no room"))
    assert (error.title, error.detail) == ("Unexpected error", "Music: RuntimeError: no room")
