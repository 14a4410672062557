// Loaded before Azurite: asks it to end, in order, once standard input closes, which happens when its starter dies.
process.stdin.resume();
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
