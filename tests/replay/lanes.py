"""Substitutes for the activities that hand out units of work."""


class Units:
    """Units of work in memory, handed out as `activities.units` does.

    Args:
        units: for each the names of its tables.
        together: whether the tables of a unit run at once.
        most: how many tables may run at once, if units have to wait for that.
    """

    def __init__(self, units, *, together=False, most=None):
        self.units = [
            {
                "tables": [{"table": name} for name in names],
                "together": together,
                "max_parallel_tables": most,
                "number": number,
            }
            for number, names in enumerate(units)
        ]
        self.turns = []

    def take(self, payload):
        turn = (payload["lane"], payload["turn"])
        if turn not in self.turns:
            self.turns.append(turn)
        number = self.turns.index(turn)
        return {"value": self.units[number] if number < len(self.units) else None}
