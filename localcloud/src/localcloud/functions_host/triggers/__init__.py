"""What starts functions: HTTP calls, timers and blobs."""
