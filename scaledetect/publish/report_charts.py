"""Line charts as inline SVG: no script, no fonts of their own, colours that a dark page can turn round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Line", "chart"]

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("", "7 3", "2 3", "9 3 2 3")

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 30, 46


@dataclass(frozen=True)
class Line:
    """One curve: its name, points and, where known, their errors; exact ones are dashed and have no marks."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] | None = None
    exact: bool = False
    color: int = 0


def chart(
    title: str,
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
    levels: Sequence[tuple[str, float]] = (),
    name: str = "figure",
) -> str:
    """The curves in one panel with axes, ticks, a legend below and horizontal `levels` by name; "" without a point.

    What is not finite, or not positive on a log axis, is left out, and so are curves without any other point.
    """
    lines = [line for line in lines if any(_shown(*point, log_x, log_y) for point in zip(line.x, line.y, strict=True))]
    points = [(x, y) for line in lines for x, y in zip(line.x, line.y, strict=True) if _shown(x, y, log_x, log_y)]
    if not points:
        return ""
    heights = [y for _, y in points] + [value for _, value in levels]
    across = _Axis([x for x, _ in points], log_x, LEFT, WIDTH - RIGHT)
    up = _Axis(heights if log_y else [0.0, *heights], log_y, HEIGHT - BOTTOM, TOP)
    parts = [_frame(title, x_label, y_label, across, up)]
    for label, value in levels:
        # Curves fall from left to right: a low level is named where they are high.
        place, anchor = (LEFT + 4, "start") if up(value) > (TOP + HEIGHT - BOTTOM) / 2 else (WIDTH - RIGHT, "end")
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(value):.1f}" y2="{up(value):.1f}" stroke="currentColor" '
            f'stroke-dasharray="1 4"/><text x="{place}" y="{up(value) - 8:.1f}" text-anchor="{anchor}">'
            f"{escape(label)}</text>"
        )
    for line in lines:
        parts.append(_curve(line, across, up, log_x, log_y))
    rows = math.ceil(len(lines) / 2)
    legend = "".join(_key(line, place) for place, line in enumerate(lines))
    height = HEIGHT + 16 * rows + 6
    return (
        f'<svg class="chart" data-name="{escape(name)}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11" '
        f'fill="currentColor">{"".join(parts)}{legend}</svg>'
    )


class _Axis:
    """Numbers to places on the page, and the numbers to write beside it."""

    def __init__(self, values: Sequence[float], log: bool, first: float, last: float) -> None:
        self._log, self._first, self._last = log, first, last
        low, high = min(values), max(values)
        if log:
            low, high = low / 1.1, high * 1.1
            self.ticks = _log_ticks(low, high)
        else:
            step = _step(high - low or 1.0)
            low, high = math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step
            self.ticks = [low + i * step for i in range(round((high - low) / step) + 1)]
        self._low, self._high = self._scaled(low), self._scaled(high if high > low else low + 1)

    def __call__(self, value: float) -> float:
        share = (self._scaled(value) - self._low) / (self._high - self._low)
        return self._first + share * (self._last - self._first)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self._log else value


def _shown(x: float, y: float, log_x: bool, log_y: bool) -> bool:
    return math.isfinite(x) and math.isfinite(y) and not (log_x and x <= 0) and not (log_y and y <= 0)


def _step(span: float) -> float:
    size = 10.0 ** math.floor(math.log10(span / 4))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= span / 5)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1,) if high > 1000 * low else (1, 2, 5)
    ticks = [factor * 10.0**decade for decade in decades for factor in factors]
    shown = [tick for tick in ticks if low <= tick <= high]
    if len(shown) > 1:
        return shown
    step = _step(high - low)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _frame(title: str, x_label: str, y_label: str, across: _Axis, up: _Axis) -> str:
    bottom, parts = HEIGHT - BOTTOM, []
    for tick in across.ticks:
        x = across(tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}" stroke="currentColor"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{tick:g}</text>')
    for tick in up.ticks:
        y = up(tick)
        parts.append(f'<line x1="{LEFT - 4}" x2="{LEFT}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{tick:.6g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (
        f'<text x="{middle}" y="16" text-anchor="middle" font-size="13">{escape(title)}</text>{"".join(parts)}'
        f'<path d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="currentColor"/>'
        f'<text x="{middle}" y="{bottom + 36}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text transform="translate(14 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )


def _style(line: Line) -> tuple[str, str]:
    """Colour, and dashes: those of an exact curve, or another pattern each time the colours are used up."""
    dashes = "5 4" if line.exact else DASHES[line.color // len(COLORS) % len(DASHES)]
    return COLORS[line.color % len(COLORS)], f' stroke-dasharray="{dashes}"' if dashes else ""


def _curve(line: Line, across: _Axis, up: _Axis, log_x: bool, log_y: bool) -> str:
    color, dashes = _style(line)
    errors = line.error or [0.0] * len(line.x)
    shown = [
        (across(x), up(y), y, e) for x, y, e in zip(line.x, line.y, errors, strict=True) if _shown(x, y, log_x, log_y)
    ]
    path = "".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y, _, _) in enumerate(shown))
    parts = [f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.6"{dashes}/>']
    if not line.exact:
        for x, y, value, error in shown:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{color}"/>')
            if math.isfinite(error) and error > 0:
                low = up(value - error) if not log_y or value > error else HEIGHT - BOTTOM
                parts.append(f'<path d="M{x:.1f} {low:.1f}V{up(value + error):.1f}" stroke="{color}"/>')
    return "".join(parts)


def _key(line: Line, place: int) -> str:
    color, dashes = _style(line)
    x, y = LEFT - 40 + (place % 2) * 210, HEIGHT + 8 + 16 * (place // 2)
    mark = "" if line.exact else f'<circle cx="{x + 12}" cy="{y}" r="2.6" fill="{color}"/>'
    return (
        f'<line x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}" stroke="{color}" stroke-width="1.6"{dashes}/>{mark}'
        f'<text x="{x + 30}" y="{y + 4}">{escape(line.name[:34])}</text>'
    )
