"""Plans that tests start."""


def plan(name="music-2026", *tables, **more):
    """Return a plan of some tables."""
    return {
        "name": name,
        "database": "shop",
        "region": "eu-west-1",
        "tables": [{"table": table, "container": table.lower()} for table in tables or ("Music", "Orders")],
        **more,
    }
