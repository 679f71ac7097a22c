"""The theory reproduces the independent check values: enumeration and exact quadrature, 33 curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scaledetect import Noise, Task, theory

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "theory.json").read_text())
TASK_FIELDS = ("dim", "size", "xi", "gap", "norm", "periodic", "labelling", "amplitude")


def test_all_curves_are_there() -> None:
    assert len(VECTORS) == 33


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_check_values_are_reproduced(vector: dict[str, Any]) -> None:
    task = Task(**{name: vector[name] for name in TASK_FIELDS})
    net = {name: vector[name] for name in ("filter_size", "stride", "depth")}
    exact = theory.sensitivities(task, **net, noise=Noise(mode=vector["noise"]))
    assert exact.sigma == pytest.approx(vector["sigma"], rel=1e-9)
    # A true 0 stands in the file as what enumeration left of it.
    np.testing.assert_allclose(exact.D, vector["D"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(exact.G, vector["G"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(exact.R, np.divide(vector["D"], vector["G"]), rtol=1e-9, atol=1e-12)
