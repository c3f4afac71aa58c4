"""Prints figures: medians with their spread, ratios, and one line for programs."""

import json
from collections.abc import Mapping, Sequence
from statistics import median

from bench.scenarios import Figures, Ratio, Scenario

Trials = Mapping[tuple[str, str], Sequence[Figures]]  # (scenario, peer) → one entry per round


def figure_lines(scenario: Scenario, peer: str, trials: Sequence[Figures]) -> list[str]:
    """One line for each figure of a peer: the median and, in brackets, the lowest and the highest round."""
    lines = []
    for figure in trials[0]:
        values = [trial[figure] for trial in trials]
        lines.append(
            f"  {scenario.name:<14} {peer:<12} {figure:<22} {_short(median(values))}{_spread(values)}"
        )
    return lines


def before_lines(scenario: Scenario, trials: Trials) -> list[str]:
    """One line for each figure: ours over the earlier checkout's, as the median of the rounds' own ratios.

    The two servers of a round run within a minute of each other, so a noisy minute hits both.
    """
    rounds = list(
        zip(trials.get((scenario.name, "ours"), ()), trials.get((scenario.name, "before"), ()), strict=False)
    )
    ratios = {
        figure: [now[figure] / before[figure] for now, before in rounds if before[figure]]
        for figure in (rounds[0][0] if rounds else ())
    }
    return [
        f"  {scenario.name:<14} {'ours/before':<12} {figure:<22} {_short(median(values))}{_spread(values)}"
        for figure, values in ratios.items()
        if values
    ]


def ratio_values(ratios: Sequence[Ratio], trials: Trials) -> dict[str, float]:
    """The ratios that the trials allow, by name: this server's median over the peer's."""
    values = {}
    for ratio in ratios:
        ours = _median(trials, ratio.scenario, "ours", ratio.figure)
        theirs = _median(trials, ratio.scenario, ratio.peer, ratio.figure) if ratio.peer else 1.0
        if ours is not None and theirs:
            values[ratio.name] = ours / theirs
    return values


def ratio_lines(ratios: Sequence[Ratio], values: Mapping[str, float]) -> list[str]:
    """One line for each ratio that was measured, with its bounds and the verdict."""
    return [
        f"  {ratio.name:<27} {_short(values[ratio.name]):>9}   {_verdict(ratio, values[ratio.name])}"
        for ratio in ratios
        if ratio.name in values
    ]


def missed(ratios: Sequence[Ratio], values: Mapping[str, float]) -> list[str]:
    """The names of the ratios that do not reach what they must."""
    return [
        ratio.name
        for ratio in ratios
        if ratio.name in values and ratio.must is not None and not ratio.meets(values[ratio.name], ratio.must)
    ]


def missed_line(ratios: Sequence[Ratio], values: Mapping[str, float]) -> str:
    """The bounds that were not met, each with the figure that missed it."""
    names = missed(ratios, values)
    parts = [
        f"{ratio.name} {_short(values[ratio.name])} (must be {_bound(ratio, ratio.must)})"
        for ratio in ratios
        if ratio.name in names and ratio.must is not None
    ]
    return f"not met: {', '.join(parts) or 'none'}"


def summary_line(
    ratios: Sequence[Ratio],
    values: Mapping[str, float],
    faults: Sequence[str],
    left_out: Sequence[str],
    *,
    quick: bool,
) -> str:
    """The last line: `summary: ` and one JSON object."""
    content = {
        "quick": quick,
        "ratios": {name: float(f"{value:.4g}") for name, value in values.items()},
        "missed": missed(ratios, values),
        "faults": list(faults),
        "left_out": list(left_out),
    }
    return f"summary: {json.dumps(content, ensure_ascii=False)}"


def _spread(values: Sequence[float]) -> str:
    return f" [{_short(min(values))} … {_short(max(values))}]" if len(values) > 1 else ""


def _median(trials: Trials, scenario: str, peer: str, figure: str) -> float | None:
    values = [trial[figure] for trial in trials.get((scenario, peer), ()) if figure in trial]
    return median(values) if values else None


def _verdict(ratio: Ratio, value: float) -> str:
    parts = []
    if ratio.must is not None:
        met = "yes" if ratio.meets(value, ratio.must) else "MISSED"
        parts.append(f"must {_bound(ratio, ratio.must)}: {met}")
    if ratio.goal is not None:
        met = "yes" if ratio.meets(value, ratio.goal) else "not yet"
        parts.append(f"goal {_bound(ratio, ratio.goal)}: {met}")
    return ", ".join(parts)


def _bound(ratio: Ratio, bound: float) -> str:
    return f"{'>=' if ratio.at_least else '<='} {_short(bound)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
