// Loaded before Azurite: asks it to end, in order, once standard input closes, which happens when its starter dies.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
process.stdin.resume();
// Azurite ends when nothing keeps it busy; listening for its starter must not.
process.stdin.unref();
