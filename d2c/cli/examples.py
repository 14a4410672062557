"""Examples at the end of a command's help."""


def example(*lines: str) -> str:
    """Return the examples as a paragraph of a command's help; its mark makes the layout keep the lines."""
    return "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])
