"""A clock whose hands a test moves."""

from localcloud.functions_host.durable.clock import Clock


class Hands:
    """The machine's time and what has passed, both in seconds."""

    def __init__(self, wall=1_800_000_000.0):
        self.wall = wall
        self.steady = 0.0

    def pass_by(self, seconds):
        self.wall += seconds
        self.steady += seconds

    def set_clock(self, seconds):
        """Set the machine's clock forward, or back by a negative number."""
        self.wall += seconds

    def clock(self):
        return Clock(lambda: self.wall, lambda: self.steady)
