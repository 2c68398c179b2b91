"""Recall against queries per second of the results of `run.py`: a plot for each data set, and a table.

    python plot.py RESULTS.json OUT.svg
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

Point = tuple[float, float]
RECALLS = [0.8, 0.9, 0.95, 0.99, 0.995, 0.999]
COLORS = ["#1a7f37", "#0969da", "#bc4c00", "#8250df"]
WIDTH, HEIGHT, LEFT, TOP = 300, 260, 60, 40


def frontier(rows: list[dict[str, Any]]) -> list[Point]:
    """The settings that no other one beats in both, by ascending recall."""
    best: list[Point] = []
    for row in sorted(rows, key=lambda row: (-row["recall"], -row["qps"])):
        if not best or row["qps"] > best[-1][1]:
            best.append((row["recall"], row["qps"]))
    return best[::-1]


def at(points: list[Point], recall: float) -> float | None:
    """Queries per second at a recall, between the settings around it; None beyond the last."""
    if points[-1][0] < recall:
        return None
    if points[0][0] >= recall:
        return points[0][1]
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low < recall <= high:
            share = (recall - low) / (high - low)
            return math.exp(math.log(fast) * (1 - share) + math.log(slow) * share)
    return None


def across(recall: float) -> float:
    """From 0.8 to 0.9999, by the logarithm of what is missing."""
    missing = max(1 - recall, 1e-4)
    return LEFT + WIDTH * (math.log10(0.2) - math.log10(missing)) / (math.log10(0.2) + 4)


def panel(name: str, curves: dict[str, list[Point]]) -> str:
    shown = {
        algorithm: [point for point in points if point[0] >= 0.8] or points[-1:] for algorithm, points in curves.items()
    }
    values = [math.log10(qps) for points in shown.values() for _, qps in points]
    low, high = math.floor(min(values) * 4) / 4, math.ceil(max(values) * 4) / 4

    def up(qps: float) -> float:
        return TOP + HEIGHT * (high - math.log10(qps)) / max(high - low, 0.25)

    parts = [f'<text x="{LEFT}" y="{TOP - 14}" font-weight="bold">{name}</text>']
    for recall in [*RECALLS, 0.9999]:
        x = across(recall)
        parts.append(f'<path d="M{x:.1f} {TOP}V{TOP + HEIGHT}" stroke="#ddd"/>')
        if recall != 0.995:
            parts.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{recall}</text>')
    for exponent in range(math.floor(low), math.ceil(high) + 1):
        for factor in (1, 2, 5):
            qps = factor * 10**exponent
            if low <= math.log10(qps) <= high:
                parts.append(f'<path d="M{LEFT} {up(qps):.1f}h{WIDTH}" stroke="#ddd"/>')
                parts.append(f'<text x="{LEFT - 6}" y="{up(qps) + 4:.1f}" text-anchor="end">{qps:,}</text>')
    for color, (algorithm, points) in zip(COLORS, shown.items()):
        line = " ".join(f"{across(recall):.1f},{up(qps):.1f}" for recall, qps in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{dot.split(",")[0]}" cy="{dot.split(",")[1]}" r="2.5" fill="{color}"/>' for dot in line.split()]
        y = TOP + HEIGHT - 14 * (1 + list(shown).index(algorithm))
        parts.append(f'<text x="{LEFT + 8}" y="{y}" fill="{color}">{algorithm}</text>')
    return "\n".join(parts)


def main(results: str, out: str) -> None:
    rows = json.loads(Path(results).read_text())
    panels = []
    for name in dict.fromkeys(row["data"] for row in rows):
        of_data = [row for row in rows if row["data"] == name]
        algorithms = sorted({row["algorithm"] for row in of_data}, key=lambda name: (name != "lucerne", name))
        curves = {
            algorithm: frontier([row for row in of_data if row["algorithm"] == algorithm]) for algorithm in algorithms
        }
        panels.append(panel(name, curves))
        print(f"\n| {name} | " + " | ".join(map(str, RECALLS)) + " |")
        print("|---|" + "---|" * len(RECALLS))
        for algorithm, points in curves.items():
            speeds = [at(points, recall) for recall in RECALLS]
            print(f"| {algorithm} | " + " | ".join("" if qps is None else f"{qps:,.0f}" for qps in speeds) + " |")
    width = LEFT + WIDTH + 30
    body = "\n".join(f'<g transform="translate({number * width} 0)">{text}</g>' for number, text in enumerate(panels))
    size = f"0 0 {width * len(panels)} {TOP + HEIGHT + 44}"
    label = f'<text x="{LEFT}" y="{TOP + HEIGHT + 36}">recall@10 → ; ↑ queries per second, one thread</text>'
    Path(out).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n{label}\n</svg>\n'
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
