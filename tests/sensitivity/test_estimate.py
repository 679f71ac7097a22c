"""The streaming estimator against a twin that stores every activation and takes all pairwise distances."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import torch
from helpers.activations import Array, Twin, naive_images
from torch import Tensor, nn

import scaledetect as sd
from scaledetect.sensitivity import sensitivities
from scaledetect.sensitivity.estimate import sensitivities_by_noise

TASKS = {
    "1d": sd.Task(dim=1, size=12, xi=3),
    "block": sd.Task(dim=2, size=6, xi=3, labelling="block", amplitude="mean"),
    "2d": sd.Task(dim=2, size=6, xi=3, gap=1, periodic=False, balance="natural"),
    "scene": sd.Task(dim=2, size=6, xi=3, background_noise=0.5),
}


class SmallNet(nn.Module):
    """A residual net that works in place and uses a module twice."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        conv, norm = (nn.Conv1d, nn.BatchNorm1d) if dim == 1 else (nn.Conv2d, nn.BatchNorm2d)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv1 = conv(1, 3, 3, padding=1)
            self.bn = norm(3)
            self.bn.running_mean.normal_()  # type: ignore[union-attr]
            self.conv2 = conv(3, 3, 3, padding=1)
            self.head = nn.Linear(3, 2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return list(self.steps(x))[-1]

    def steps(self, x: Tensor) -> list[Tensor]:
        """The activations, each a copy; the last is the output."""
        kept = []

        def keep(y: Tensor) -> Tensor:
            kept.append(y.clone())
            return y

        x = keep(self.conv1(x))
        x = keep(self.relu(keep(self.bn(x))))
        z = keep(self.conv2(x))
        z += x
        z = keep(self.relu(z))
        keep(self.head(z.flatten(2).mean(2)))
        kept.append(kept[-1])
        return kept


NAMES = ("conv1", "bn", "relu", "conv2", "relu:2", "head", "output")


def naive_layers(net: SmallNet, task: sd.Task, n: int, noise: sd.Noise, seed: int) -> list[tuple[Array, Array, Array]]:
    net = net.double().eval()
    with torch.no_grad():
        steps = [net.steps(torch.from_numpy(x)) for x in naive_images(task, n, noise, seed)]
    return [tuple(np.asarray(f) for f in versions) for versions in zip(*steps, strict=True)]  # type: ignore[misc]


def assert_same(one: sd.Sensitivities, other: sd.Sensitivities, **tolerance: Any) -> None:
    assert one.layers == other.layers
    for name in ("D", "G", "R", "Delta", "D_stderr", "G_stderr", "R_stderr", "Delta_stderr"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), err_msg=name, **tolerance)
    np.testing.assert_array_equal(one.D_events, other.D_events)
    np.testing.assert_array_equal(one.G_events, other.G_events)


NOISES = [
    sd.Noise("signed"),
    sd.Noise("rectified_noise"),
    sd.Noise("rectified_input", sigma=0.7),
    sd.Noise("signed", match="sample"),
    sd.Noise("rectified_input", match="sample"),
]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("noise", NOISES, ids=repr)
def test_equals_the_twin_of_all_pairs(name: str, noise: sd.Noise) -> None:
    task, net, n = TASKS[name], SmallNet(TASKS[name].dim), 200
    measured = sensitivities(net.double(), task, n, noise=noise, seed=7)
    assert measured.layers == NAMES
    for k, versions in enumerate(naive_layers(net, task, n, noise, 7)):
        twin = Twin(*versions)
        values, errors = twin.values(), twin.errors()
        for key in values:
            assert getattr(measured, key)[k] == pytest.approx(values[key], rel=1e-10)
            assert getattr(measured, key + "_stderr")[k] == pytest.approx(errors[key], rel=1e-7)
        assert measured.D_events is not None
        moved = np.abs(versions[0] - versions[1]).reshape(n, -1).max(axis=1) > 1e-12
        assert measured.D_events[k] == moved.sum()


@pytest.mark.parametrize("name", TASKS)
def test_several_forms_of_noise_in_one_measurement_are_those_of_measurements_of_their_own(name: str) -> None:
    task, net = TASKS[name], SmallNet(TASKS[name].dim).double()
    for noise, together in zip(NOISES, sensitivities_by_noise(net, task, 200, noises=NOISES, seed=7), strict=True):
        alone = sensitivities(net, task, 200, noise=noise, seed=7)
        assert_same(together, alone, rtol=1e-9)
        assert together.config == alone.config and np.array_equal(together.sigma, alone.sigma, equal_nan=True)


def test_channel_mean_averages_channels_first() -> None:
    task, net, n = TASKS["1d"], SmallNet(1), 200
    measured = sensitivities(net.double(), task, n, channel_mean=True, layers=["conv2"], seed=1)
    versions = [f.mean(axis=1) for f in naive_layers(net, task, n, sd.Noise(), 1)[3]]
    for key, value in Twin(*versions).values().items():
        assert getattr(measured, key)[0] == pytest.approx(value, rel=1e-10)


def test_batch_size_changes_nothing_but_rounding(torch_dtype: torch.dtype) -> None:
    net = SmallNet(1).to(torch_dtype)
    runs = [sensitivities(net, TASKS["1d"], 200, batch_size=size) for size in (None, 3, 8, 50, 199)]
    tolerance = 1e-4 if torch_dtype == torch.float32 else 1e-9
    for run in runs[1:]:
        assert_same(runs[0], run, rtol=tolerance)


@pytest.mark.parametrize("n", [200, "all"])
@pytest.mark.parametrize("batch_size", [9, 25])
def test_no_batch_is_larger_than_asked_for(n: int | Literal["all"], batch_size: int) -> None:
    """Clean, deformed and noisy rows together; of the whole population each, and as many blocks of noise as fit."""
    seen: list[int] = []

    class Counting(SmallNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(len(x))
            found: torch.Tensor = super().forward(x)
            return found

    sensitivities(Counting(1), TASKS["1d"], n, batch_size=batch_size)
    assert batch_size / 2 < max(seen) <= batch_size


def test_float32_agrees_with_float64() -> None:
    net = SmallNet(1)
    assert_same(
        sensitivities(net, TASKS["1d"], 400), sensitivities(net, TASKS["1d"], 400, dtype=torch.float64), rtol=1e-4
    )


def test_a_large_mean_does_not_cancel() -> None:
    """Delta does not depend on a constant added to a layer, even one that dwarfs its fluctuations in float32."""

    class Offset(nn.Module):
        def __init__(self, offset: float) -> None:
            super().__init__()
            self.offset, self.layer = offset, nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.layer(x / 4 + self.offset)
            return y

    task = sd.Task(dim=1, size=32, xi=8, amplitude=4.0)
    plain, far = (sensitivities(Offset(offset), task, 400, noise=sd.Noise(sigma=1.0)) for offset in (0.0, 4096.0))
    np.testing.assert_allclose(far.D, plain.D, rtol=1e-6)
    np.testing.assert_allclose(far.Delta, plain.Delta, rtol=1e-6)


def test_layers_by_name_in_order_of_execution() -> None:
    net = SmallNet(1)
    assert sensitivities(net, TASKS["1d"], 100, layers=("output", "conv1")).layers == ("conv1", "output")
    assert sensitivities(net, TASKS["1d"], 100, layers="relu").layers == ("relu", "relu:2")


def test_a_net_may_name_its_layers() -> None:
    net = sd.nets.ConstantFilterNet(1, 2, 2, 3)
    measured = sensitivities(net, sd.Task(size=32, xi=8), 100)
    assert measured.layers == net.pooling.layers
    assert measured.A is not None
    np.testing.assert_array_equal(measured.A, net.pooling.A)
    assert measured.kind == "measured"
    assert (measured.n, measured.n_blocks) == (100, 50)


def test_sigma_is_that_of_the_ensemble_given_or_none() -> None:
    net, task = sd.nets.ConstantFilterNet(1, 2, 2, 2), sd.Task(size=32, xi=8)
    assert sensitivities(net, task, 100).sigma == sd.theory.ensemble_sigma(task)
    assert sensitivities(net, task, 100, noise=sd.Noise(sigma=0.5)).sigma == 0.5
    assert np.isnan(sensitivities(net, task, 100, noise=sd.Noise(match="sample")).sigma)


def test_same_draws_for_every_net() -> None:
    """The noise response of the identity is |eta|^2, whatever stands beside it in the net."""
    task = sd.Task(size=32, xi=8)
    alone, inside = nn.Identity(), nn.Sequential(nn.Identity(), nn.Conv1d(1, 2, 3), nn.ReLU())
    one = sensitivities(alone, task, 200, layers=["output"])
    other = sensitivities(inside, task, 200, layers=["0"], batch_size=8)
    np.testing.assert_allclose(one.G, other.G, rtol=1e-6)
    np.testing.assert_allclose(one.D, other.D, rtol=1e-6)


def test_bad_input_is_named() -> None:
    net, task = SmallNet(1), TASKS["1d"]
    with pytest.raises(ValueError, match=r"n=1050: .* 2 \* blocks = 100; the nearest is 1000"):
        sensitivities(net, task, 1050)
    with pytest.raises(ValueError, match="the nearest is 100"):
        sensitivities(net, task, 20)
    with pytest.raises(ValueError, match="blocks=10"):
        sensitivities(net, task, 1000, blocks=10)
    with pytest.raises(ValueError, match="batch_size=0"):
        sensitivities(net, task, 100, batch_size=0)
    for n in (0, -100):
        with pytest.raises(ValueError, match="n="):
            sensitivities(net, task, n)
    with pytest.raises(TypeError, match="n="):
        sensitivities(net, task, 100.0)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="conv1"):
        sensitivities(net, task, 100, layers=["convl"])
    with pytest.raises(ValueError, match="layers"):
        sensitivities(net, task, 100, layers=[])
    with pytest.raises(TypeError, match="net="):
        sensitivities("vgg11", task, 100)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="task="):
        sensitivities(net, "distance", 100)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="noise="):
        sensitivities(net, task, 100, noise="signed")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seed"):
        sensitivities(net, task, 100, seed=-1)
    with pytest.raises(TypeError, match="seed"):
        sensitivities(net, task, 100, seed=1.5)  # type: ignore[arg-type]


class Odd(nn.Module):
    """A net with layers that cannot be measured."""

    def __init__(self) -> None:
        super().__init__()
        self.idle, self.odd, self.mixed = nn.Identity(), nn.Identity(), nn.Flatten(0)

    def forward(self, x: Tensor) -> Tensor:
        self.odd(x.long())
        y: Tensor = self.mixed(x).view(len(x), -1)
        return y


@pytest.mark.parametrize(
    ("layers", "error", "text"),
    [
        (["idle"], ValueError, "did not run"),
        (["odd"], TypeError, "a tensor of torch.int64"),
        (["mixed"], ValueError, "first axis"),
    ],
)
def test_layers_that_cannot_be_measured_are_named(layers: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        sensitivities(Odd(), sd.Task(size=8, xi=2), 100, layers=layers)


def test_a_net_without_parameters_runs_in_the_type_asked_for() -> None:
    class Types(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert x.dtype == torch.float64
            return x

    sensitivities(Types(), TASKS["1d"], 100, dtype=torch.float64)
