"""A log-log plot of costs as SVG, without a library."""

from collections.abc import Mapping
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 860, 420
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 20, 440, 40
_COLORS = ("#3366cc", "#dc3912", "#ff9900", "#109618", "#990099", "#0099c6", "#dd4477", "#66aa00", "#b82e2e", "#316395")


def plot(curves: Mapping[str, Mapping[int, float]]) -> str:
    """Each curve: size to milliseconds. Both axes are logarithms; a straight line at 45 degrees is linear growth."""
    sizes = [size for curve in curves.values() for size in curve]
    costs = [max(cost, 0.01) for curve in curves.values() for cost in curve.values()]
    left, right = floor(log10(min(sizes))), ceil(log10(max(sizes)))
    low, high = floor(log10(min(costs))), ceil(log10(max(costs)))

    def x(size: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (log10(size) - left) / max(right - left, 1)

    def y(cost: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - log10(max(cost, 0.01))) / max(high - low, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        "<style>text { font-size: 11px }</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for power in range(left, right + 1):
        at = x(10**power)
        parts.append(f'<path d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{_HEIGHT - 22}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>')
    for number, (name, curve) in enumerate(curves.items()):
        color = _COLORS[number % len(_COLORS)]
        dash = ' stroke-dasharray="5 3"' if number >= len(_COLORS) else ""
        line = "L".join(f"{x(size):.1f} {y(cost):.1f}" for size, cost in curve.items())
        parts.append(f'<path d="M{line}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
        at = _TOP + 12 + 18 * number
        parts.append(f'<path d="M{_WIDTH - _RIGHT + 16} {at - 4}h18" stroke="{color}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 40}" y="{at}">{escape(name)}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT - 6}">runs, or points</text></svg>')
    return "\n".join(parts) + "\n"
