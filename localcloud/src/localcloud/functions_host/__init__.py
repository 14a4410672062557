"""A Functions host for one machine: drives the real azure-functions-durable SDK from an event history in SQLite."""

# Where the lake reports written blobs, in place of Event Grid's deliveries.
BLOBS_WRITTEN = "/_localcloud/blobs-written"
