"""Bars with their intervals, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.routing.estimate import Estimate


class Panel(msgspec.Struct, frozen=True):
    """One quantity: for each group (a scenario) the bars (policies) and their heights."""

    title: str
    groups: Mapping[str, Mapping[str, Estimate]]


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Draw the panels under one another."""
    import matplotlib as mpl  # noqa: PLC0415 -- not installed for the tests

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "epp"  # the same figures give the same file
    from matplotlib import pyplot  # noqa: PLC0415 -- the same

    figure, all_axes = pyplot.subplots(
        len(panels), 1, figsize=(10, 2.6 * len(panels)), squeeze=False, layout="constrained"
    )
    for axes, panel in zip(all_axes[:, 0], panels, strict=True):
        _bars(axes, panel)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _bars(axes: object, panel: Panel) -> None:
    from matplotlib.axes import Axes  # noqa: PLC0415 -- not installed for the tests

    assert isinstance(axes, Axes)
    names = list(next(iter(panel.groups.values())))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        found = [group[name] for group in panel.groups.values()]
        places = [n + (number - (len(names) - 1) / 2) * width for n in range(len(found))]
        axes.bar(places, [e.mean for e in found], width, yerr=[e.half for e in found], label=name)
    axes.set_title(panel.title, loc="left", fontsize=10)
    axes.set_xticks(range(len(panel.groups)), list(panel.groups), fontsize=7)
    axes.legend(fontsize=6, ncols=2, loc="center left", bbox_to_anchor=(1.0, 0.5))
