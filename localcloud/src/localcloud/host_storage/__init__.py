"""The storage account of the Functions host, where Microsoft's own Durable extension keeps its state."""
