"""Charts as HTML with inline SVG: lines over time with markers, and bars. No script, no picture, no network.

Shapes are SVG that stretches with the page; text is HTML beside it, so that it keeps its size on a phone. Everything
that comes from data is escaped here. Hovering tells the exact value (`title`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from backtest.report.scales import (
    Scale,
    scale_of,
    time_labels,
    time_ticks,
    utc_short,
    value_labels,
    value_ticks,
)

#: A point of a line: time in nanoseconds and value.
Point = tuple[int, float]

_SIZE = 1000
_MOST_POINTS = 1200
_BANDS = 160
_MANY_MARKERS = 150


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark on a line chart. `kind` is a CSS class: `buy` or `sell`."""

    time_ns: int
    value: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line over time. `kind` is its CSS class; `unit` and `decimals` say how values are told on hover.

    `step` keeps a value until the next point. `base` is a value that the area below the line starts from, None for no
    area. `times` fixes the time axis, so that charts above each other line up.
    """

    points: Sequence[Point]
    kind: str
    label: str
    unit: str
    decimals: int
    height_px: int
    times: Scale
    markers: Sequence[Marker] = ()
    step: bool = False
    base: float | None = None
    time_axis: bool = True
    wanted_ticks: int = 5

    def html(self) -> str:
        """Return the chart as HTML."""
        shown = thinned(self.points, _MOST_POINTS)
        values = [value for _, value in shown] + [marker.value for marker in self.markers]
        scale = scale_of(values if self.base is None else [*values, self.base])
        kind = "plot dense" if len(self.markers) > _MANY_MARKERS else "plot"
        return (
            f'<div class="chart" style="--height:{self.height_px}px">{_value_axis(scale, self.wanted_ticks)}'
            f'<div class="{kind}">{self._svg(shown, scale)}{self._markers(scale)}</div>'
            f"{_time_axis(self.times) if self.time_axis else ''}</div>"
        )

    def _svg(self, shown: Sequence[Point], scale: Scale) -> str:
        placed = [(_x(self.times, time), _y(scale, value)) for time, value in shown]
        line = _path(placed, step=self.step)
        area = ""
        if self.base is not None and placed:
            base = _y(scale, self.base)
            area = f'<path class="area {self.kind}" d="{line}V{base:.1f}H{placed[0][0]:.1f}Z"/>'
        grid = "".join(f"M0 {_y(scale, value):.1f}H{_SIZE}" for value in value_ticks(scale, self.wanted_ticks))
        return (
            f'<svg viewBox="0 0 {_SIZE} {_SIZE}" preserveAspectRatio="none" role="img" '
            f'aria-label="{escape(self.label)}">'
            f'<path class="grid" d="{grid}"/>{area}<path class="line {self.kind}" d="{line}"/>{self._bands()}</svg>'
        )

    def _bands(self) -> str:
        """Return invisible bands that tell time and value on hover."""
        points = self.points[:: max(1, -(-len(self.points) // _BANDS))]
        bounds = [_x(self.times, time) for time, _ in points] + [float(_SIZE)]
        label, unit = escape(self.label), escape(self.unit)
        return "".join(
            f'<rect class="band" x="{left:.1f}" y="0" width="{max(right - left, 0.0):.1f}" height="{_SIZE}">'
            f"<title>{utc_short(time)} UTC\n{label} {value:,.{self.decimals}f} {unit}</title></rect>"
            for (time, value), left, right in zip(points, bounds, bounds[1:], strict=False)
        )

    def _markers(self, scale: Scale) -> str:
        return "".join(
            f'<i class="{marker.kind}" style="left:{_x(self.times, marker.time_ns) / 10:.2f}%;'
            f'top:{_y(scale, marker.value) / 10:.2f}%" title="{escape(marker.title)}"></i>'
            for marker in self.markers
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a bar chart: `share` of the full width (0 to 1), what is written at its end, and a note below."""

    label: str
    share: float
    value: str
    kind: str = ""
    note: str = ""


def bar_chart(bars: Sequence[Bar]) -> str:
    """Return horizontal bars as HTML; a bar without a label belongs to the one above it."""
    rows = "".join(
        f'<div class="bar {escape(bar.kind)}"><span class="name">{escape(bar.label)}</span>'
        f'<span class="track"><span style="width:{max(0.0, min(bar.share, 1.0)) * 100:.1f}%"></span></span>'
        f'<span class="amount">{escape(bar.value)}</span>{_note(bar.note)}</div>'
        for bar in bars
    )
    return f'<div class="bars">{rows}</div>'


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most about `most` points: of each stretch the lowest and the highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    size = -(-2 * len(points) // most)
    kept: list[Point] = [points[0]]
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(ends)
    return [*kept, points[-1]]


def _note(note: str) -> str:
    return f'<span class="note">{escape(note)}</span>' if note else ""


def _value_axis(scale: Scale, wanted: int) -> str:
    ticks = value_ticks(scale, wanted)
    labels = "".join(
        f'<span style="top:{_y(scale, value) / 10:.2f}%">{label}</span>'
        for value, label in zip(ticks, value_labels(ticks), strict=True)
    )
    return f'<div class="values">{labels}</div>'


def _time_axis(times: Scale) -> str:
    ticks = time_ticks(times)
    labels = "".join(
        f'<span{" class=minor" if number % 2 else ""} style="left:{_x(times, tick) / 10:.2f}%">{label}</span>'
        for number, (tick, label) in enumerate(zip(ticks, time_labels(ticks), strict=True))
    )
    return f'<div class="times">{labels}</div>'


def _path(placed: Sequence[tuple[float, float]], *, step: bool) -> str:
    if not placed:
        return "M0 0"
    (x, y), rest = placed[0], placed[1:]
    between = "H{0:.1f}V{1:.1f}" if step else "L{0:.1f} {1:.1f}"
    return f"M{x:.1f} {y:.1f}" + "".join(between.format(*point) for point in rest)


def _x(times: Scale, time_ns: int) -> float:
    return times.at(time_ns) * _SIZE


def _y(scale: Scale, value: float) -> float:
    return (1.0 - scale.at(value)) * _SIZE
