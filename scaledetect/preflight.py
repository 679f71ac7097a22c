"""Whether a net of one's own can be measured: tried on a few images, said in words, before a long run."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from scaledetect.errors import bad_value
from scaledetect.net_source import build, few, locate
from scaledetect.sampling import sample_images
from scaledetect.sensitivity import sensitivities
from scaledetect.sensitivity.capture import OUTPUT, Capture
from scaledetect.sensitivity.left_as_found import left_as_found
from scaledetect.sensitivity.place import Place, shape_error
from scaledetect.task import Task

__all__ = ["Step", "check_net"]

T = TypeVar("T")

FEW = 4
DRAWS = 100
TOLERANCE = 1e-4
"""Of the largest number in a layer: kernels may round a row differently beside other rows."""


@dataclass(frozen=True)
class Step:
    """One check: its name, whether it is passed, and what was seen, in words."""

    name: str
    ok: bool
    says: str


class _FailedError(Exception):
    """A check that is not passed; its message says why."""


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
    found = yield from _try("import", lambda: _imported(source))
    if found is None:
        return
    net = yield from _try("build", lambda: _built(found, source))
    if net is None:
        return
    trial = _Trial(net, task)
    with left_as_found(net):
        if (yield from _try("run", trial.run)) is None:
            return
        yield from _try("finite", trial.finite)
        if (yield from _try("deterministic", trial.deterministic)) is not None:
            yield from _try("rows", trial.rows)
    yield from _try("sensitivities", lambda: _measured(net, task))


def _try(name: str, check: Callable[[], tuple[T, str]]) -> Generator[Step, None, T | None]:
    """Yield the step; return the value of `check`, None where it fails."""
    try:
        value, says = check()
    except _FailedError as error:
        yield Step(name, False, str(error))
        return None
    except Exception as error:
        yield Step(name, False, _in_words(error))
        return None
    yield Step(name, True, says)
    return value


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
        self.net, self.place = net, Place.of(net)
        self.images, self.others = self.place(images[:FEW]), self.place(images[FEW:])
        self.seen: dict[str, Tensor] = {}

    def run(self) -> tuple[bool, str]:
        try:
            self.seen = self.activations(self.images)
        except Exception as error:
            raise shape_error(self.net, self.images, None, error) from error
        if not self.seen:
            raise _FailedError("no layer and no output is a floating tensor with a row for each image")
        last = OUTPUT if OUTPUT in self.seen else list(self.seen)[-1]
        found = f"{tuple(self.seen[last].shape)} at {last}"
        return True, f"images {tuple(self.images.shape)} give {found}; layers to measure: {len(self.seen)}"

    def finite(self) -> tuple[bool, str]:
        if bad := [name for name, value in self.seen.items() if not value.isfinite().all()]:
            raise _FailedError(f"NaN or infinite numbers in {few(bad)}")
        return True, "all numbers are finite"

    def deterministic(self) -> tuple[bool, str]:
        again = self.activations(self.images)
        if bad := [name for name, value in self.seen.items() if name not in again or _differs(value, again[name])]:
            raise _FailedError(
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
            raise _FailedError(
                f"an image's row depends on the other images of its batch in {few(list(bad))}: look for statistics or "
                "reshapes that run over the first axis"
            )
        return True, "each row depends on its own image alone"

    def activations(self, x: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        with Capture(self.net) as capture:
            capture.run(x.clone(), lambda name, value: found.update({name: value.clone()}))
        return found


def _measured(net: nn.Module, task: Task) -> tuple[bool, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = sensitivities(net, task, DRAWS)
    if bad := [name for name, *values in zip(s.layers, s.D, s.G, strict=True) if not np.isfinite(values).all()]:
        raise _FailedError(f"D and G are undefined in {few(bad)}: constant over the images, or not finite")
    return True, f"measured with {DRAWS} draws: {few(list(s.layers))}"


def _differs(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return True
    finite = one[one.isfinite()]
    scale = float(finite.abs().max()) if finite.numel() else 0.0
    return not torch.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)


def _in_words(error: Exception) -> str:
    """The first line of an error, and where outside this package and torch it was raised."""
    text = (str(error).strip().splitlines() or [""])[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_the_user(frame.filename)]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"


def _is_of_the_user(filename: str) -> bool:
    inside = Path(filename).is_relative_to(Path(__file__).parent)
    return Path(filename).is_relative_to(Path.cwd()) and not inside and "site-packages" not in filename
