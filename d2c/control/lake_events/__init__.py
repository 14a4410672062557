"""What arrives in the lake: plans and existing exports, by an event or, where that is lost, by the watchdog."""
