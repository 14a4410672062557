"""The census of a table's content, taken during assess."""
