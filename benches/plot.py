"""A plot of times as an SVG that reads in light and dark: one row per contender, a dot on a logarithmic scale, the value beside it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import ceil, floor, log10

WIDTH, LEFT, RIGHT, ROW, TOP = 780, 280, 90, 26, 64
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .small { font-size: 11.5px; fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .bar { stroke: #8c959f; stroke-width: 3 }
  .dot { fill: #8c959f }
  .ours .bar { stroke: #0a7d4f }
  .ours .dot { fill: #0a7d4f }
  .ours text { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .bar { stroke: #8b949e }
    .dot { fill: #8b949e }
    .ours .bar { stroke: #3fb983 }
    .ours .dot { fill: #3fb983 }
  }
"""


def told(microseconds: float) -> str:
    """A time as people say it."""
    if microseconds >= 1000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds:.0f} µs" if microseconds >= 10 else f"{microseconds:.1f} µs"


def plot(title: str, note: str, times: Mapping[str, float], ours: str) -> str:
    """The SVG. `times` are microseconds; rows whose name begins with `ours` stand out. The quickest comes first."""
    low, high = floor(log10(min(times.values()))), ceil(log10(max(times.values())))
    height = TOP + ROW * len(times) + 40

    def x(microseconds: float) -> float:
        return round(LEFT + (log10(microseconds) - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    bottom = TOP + ROW * len(times)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="12" y="24">{escape(title)}</text>',
        f'<text class="small" x="12" y="43">{escape(note)}</text>',
    ]
    for power in range(low, high + 1):
        at = x(10**power)
        lines.append(f'<line class="grid" x1="{at}" y1="{TOP - 6}" x2="{at}" y2="{bottom}"/>')
        label = f"{10.0**power:g} µs" if power < 3 else f"{10 ** (power - 3)} ms"
        lines.append(f'<text class="small" x="{at}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    for row, (name, time) in enumerate(sorted(times.items(), key=lambda item: item[1])):
        y, end = TOP + ROW * row + ROW // 2, x(time)
        kind = ' class="ours"' if name.startswith(ours) else ""
        lines += [
            f"<g{kind}>",
            f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(name)}</text>',
            f'<line class="bar" x1="{LEFT}" y1="{y}" x2="{end}" y2="{y}"/>',
            f'<circle class="dot" cx="{end}" cy="{y}" r="5"/>',
            f'<text x="{end + 11}" y="{y + 4}">{told(time)}</text>',
            "</g>",
        ]
    return "\n".join([*lines, "</svg>", ""])
