"""Request units of documents, and the RU/s of containers that follow from them."""
