"""A Functions host for one machine: drives the real azure-functions-durable SDK from an event history in SQLite."""

# Where the lake tells of blobs that were written, in place of Event Grid's deliveries.
BLOBS_WRITTEN = "/_localcloud/blobs-written"
