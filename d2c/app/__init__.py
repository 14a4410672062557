"""The process: settings, prices, logs, redaction."""
