"""Pre-flight of a net: tried on a few images, with the outcome in words, before a long measurement."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scaledetect._base.checklist import FailedStepError, Step, attempt
from scaledetect._base.errors import bad_value
from scaledetect._base.import_by_name import locate
from scaledetect.activations.capture import OUTPUT, Capture, skipped_text
from scaledetect.activations.eval_context import left_as_found
from scaledetect.activations.net_input import DeviceAndType, shape_error
from scaledetect.sampling.samplers import sample_images
from scaledetect.sensitivity import sensitivities
from scaledetect.task.task import Task
from scaledetect.training.find_net import build, few

__all__ = ["check_net"]

FEW = 4
DRAWS = 100
TOLERANCE = 1e-4
"""Of the largest number in a layer: kernels may round a row differently beside other rows."""


def check_net(source: str, task: Task) -> Iterator[Step]:
    """Import and build a net, run it on a few images of a task and measure it with the fewest draws.

    Parameters
    ----------
    source : str
        ``module:callable``, importable from the current folder.
    task : Task

    Yields
    ------
    Step
        import, build, run, finite, deterministic, rows, sensitivities; without the steps that a failed one rules out.

    Raises
    ------
    ValueError
        When `source` is not of that form.
    """
    if ":" not in source.strip(":"):
        raise bad_value("net", source, "must read module:callable", "as in my_nets:build for build in my_nets.py")
    found = yield from attempt("import", lambda: _imported(source))
    if found is None:
        return
    net = yield from attempt("build", lambda: _built(found, source))
    if net is None:
        return
    trial = _Trial(net, task)
    with left_as_found(net):
        if (yield from attempt("run", trial.run)) is None:
            return
        yield from attempt("finite", trial.finite)
        if (yield from attempt("deterministic", trial.deterministic)) is not None:
            yield from attempt("rows", trial.rows)
    yield from attempt("sensitivities", lambda: _measured(net, task))


def _imported(source: str) -> tuple[Any, str]:
    found = locate(source)
    return found, f"{source} is there"


def _built(found: Any, source: str) -> tuple[nn.Module, str]:
    net = build(found, source)
    n_parameters = sum(parameter.numel() for parameter in net.parameters())
    return net, f"a {type(net).__name__} with {n_parameters} parameters"


class _Trial:
    """A net, ready to run, and two batches of images."""

    def __init__(self, net: nn.Module, task: Task) -> None:
        images, _ = sample_images(task, 2 * FEW, replace=True)
        self.net, self.target = net, DeviceAndType.of(net)
        self.images, self.others = self.target(images[:FEW]), self.target(images[FEW:])
        self.seen: dict[str, Tensor] = {}
        self.skipped = ""

    def run(self) -> tuple[bool, str]:
        try:
            self.seen = self.activations(self.images)
        except Exception as error:
            raise shape_error(self.net, self.images, None, error) from error
        if not self.seen:
            raise FailedStepError("no layer and no output is a floating tensor with a row for each image")
        last = OUTPUT if OUTPUT in self.seen else list(self.seen)[-1]
        found = f"{tuple(self.seen[last].shape)} at {last}"
        skipped = f"; {self.skipped}" if self.skipped else ""
        return True, f"images {tuple(self.images.shape)} give {found}; layers to measure: {len(self.seen)}{skipped}"

    def finite(self) -> tuple[bool, str]:
        if bad := [name for name, value in self.seen.items() if not value.isfinite().all()]:
            raise FailedStepError(f"NaN or infinite numbers in {few(bad)}")
        return True, "all numbers are finite"

    def deterministic(self) -> tuple[bool, str]:
        again = self.activations(self.images)
        if bad := [name for name, value in self.seen.items() if name not in again or _differs(value, again[name])]:
            raise FailedStepError(
                f"the same images give other numbers the second time in {few(bad)}: something draws random numbers or "
                "changes state in eval mode too, as dropout without training=self.training does"
            )
        return True, "the same images give the same numbers in eval mode"

    def rows(self) -> tuple[bool, str]:
        bad: dict[str, None] = {}
        for row in range(FEW):
            mixed = self.others.clone()
            mixed[row] = self.images[row]
            for name, value in self.activations(mixed).items():
                if name in self.seen and _differs(self.seen[name][row], value[row]):
                    bad[name] = None
        if bad:
            raise FailedStepError(
                f"an image's row depends on the other images of its batch in {few(list(bad))}: look for statistics or "
                "reshapes that run over the first axis"
            )
        return True, "each row depends on its own image alone"

    def activations(self, x: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        with Capture(self.net) as capture:
            capture.run(x.clone(), lambda name, value: found.update({name: value.clone()}))
        self.skipped = skipped_text(capture.skipped)
        return found


def _measured(net: nn.Module, task: Task) -> tuple[bool, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = sensitivities(net, task, DRAWS)
    if bad := [name for name, *values in zip(s.layers, s.D, s.G, strict=True) if not np.isfinite(values).all()]:
        raise FailedStepError(f"D and G are undefined in {few(bad)}: constant over the images, or not finite")
    return True, f"measured with {DRAWS} draws: {few(list(s.layers))}"


def _differs(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return True
    finite = one[one.isfinite()]
    scale = float(finite.abs().max()) if finite.numel() else 0.0
    return not torch.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)
