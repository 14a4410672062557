"""Draw the figures of `benchmarks.many_tables` as an SVG: ``python -m benchmarks.many_tables_chart FIGURES SVG``.

FIGURES is a file with the output of ``--json``. Each panel begins at zero; the dashed line is growth in proportion to
the number of tables, from the first measurement.
"""

import argparse
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

PANELS = {
    "seconds": "Seconds until all have ended",
    "host's peak memory, MiB": "Host's peak memory, MiB",
    "largest history, KiB": "Largest history, KiB",
    "status afterwards, ms, p95": "Status of 100 tables, ms (p95)",
}
WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 24, 24, 44, 36
COLUMNS = 2
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.note { font-size: 11px; fill: #57606a; }
.axis { stroke: #8c959f; }
.measured { stroke: #0969da; stroke-width: 2; fill: none; }
.dot { fill: #0969da; }
.linear { stroke: #8c959f; stroke-dasharray: 4 4; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note { fill: #9198a1; }
  .measured { stroke: #4493f8; }
  .dot { fill: #4493f8; }
}
"""

Point = tuple[float, float]


def main() -> None:
    """Read the figures and write the chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path)
    parser.add_argument("svg", type=Path)
    options = parser.parse_args()
    results = json.loads(options.figures.read_text())["results"]
    options.svg.write_text(chart(results))


def chart(results: Sequence[dict[str, Any]]) -> str:
    """Return the SVG of measurements, fewest tables first."""
    counts = [float(result["tables"]) for result in results]
    panels = [
        panel(title, counts, [float(result[name]) for result in results], place)
        for place, (name, title) in enumerate(PANELS.items())
    ]
    width, height = WIDTH * COLUMNS, HEIGHT * -(-len(PANELS) // COLUMNS)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    label = "<title>How time, memory, histories and status grow with the number of tables</title>"
    return "\n".join([head, label, f"<style>{STYLE}</style>", *panels, "</svg>", ""])


def panel(title: str, counts: Sequence[float], values: Sequence[float], place: int) -> str:
    """Return one panel: the values by the number of tables, and the line of proportional growth."""
    linear = values[0] * counts[-1] / counts[0]
    top = max(*values) * 1.1
    measured = [_point(count, value, counts[-1], top) for count, value in zip(counts, values, strict=True)]
    # The line of proportional growth ends at the top of the panel.
    reach = min(1.0, top / linear)
    end = _point(counts[-1] * reach, linear * reach, counts[-1], top)
    start = _point(0, 0, counts[-1], top)
    left, below = (place % COLUMNS) * WIDTH, (place // COLUMNS) * HEIGHT
    points = [
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
        f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{value:,.0f}</text>'
        f'<text class="note" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{count:,.0f}</text>'
        for (x, y), value, count in zip(measured, values, counts, strict=True)
    ]
    return "\n".join(
        [
            f'<g transform="translate({left} {below})">',
            f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>',
            f'<path class="axis" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>',
            f'<path class="linear" d="{_path([start, end])}"/>',
            f'<path class="measured" d="{_path(measured)}"/>',
            *points,
            "</g>",
        ]
    )


def _point(count: float, value: float, most: float, top: float) -> Point:
    x = LEFT + (WIDTH - LEFT - RIGHT - 20) * count / most
    return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


if __name__ == "__main__":
    main()
