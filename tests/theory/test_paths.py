"""The fast path and the general path agree, the fast path is fast, and both say clearly what they do not take."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scaledetect import Noise, Pooling, Sensitivities, Task, theory
from scaledetect.perturbations.noise import NOISE_MODES, NoiseMode
from scaledetect.theory import _sensitivities
from scaledetect.theory._ensemble import pair_weights, shift_second_moment, transition
from scaledetect.theory._fast import fast_depth
from scaledetect.theory._pooling import pool_axis
from scaledetect.theory._spectrum import run_sums

CASES = [
    # (task, filter sizes, strides): F > s, F = s, F < s, s = 1, mixed; size divisible by the strides and not
    (Task(size=64, xi=16), (2,) * 5, (2,) * 5),
    (Task(size=64, xi=10.5, gap=3), (4,) * 4, (2,) * 4),
    (Task(size=81, xi=16), (2,) * 3, (3,) * 3),
    (Task(size=63, xi=16), (3,) * 12, (1,) * 12),
    (Task(size=60, xi=9), (3, 3, 2, 5, 5, 4), (1, 1, 2, 1, 1, 3)),
    (Task(size=64, xi=9), (16, 9), (1, 2)),
    # the strides stop dividing: at once, after two rings, at the last layer
    (Task(size=61, xi=9), (3, 3, 3), (2, 2, 2)),
    (Task(size=60, xi=9), (3, 4, 3, 2), (2, 2, 2, 2)),
    (Task(size=36, xi=9), (2, 2, 3), (2, 2, 2)),
    (Task(size=36, xi=9), (2, 3, 3, 2), (1, 1, 5, 1)),
    (Task(size=45, xi=9), (4, 3, 3), (3, 2, 2)),
    # windows that meet twice round the ring
    (Task(size=12, xi=4), (10, 9), (2, 1)),
    (Task(dim=2, size=12, xi=4), (3, 3), (1, 1)),
    (Task(dim=2, size=12, xi=3.5, gap=1, norm="l1", amplitude="mean"), (2, 4, 3), (2, 1, 3)),
    (Task(dim=2, size=13, xi=4, norm="linf"), (2, 2), (2, 2)),
    (Task(dim=2, size=14, xi=4), (4, 2, 2), (2, 2, 2)),
    (Task(dim=3, size=6, xi=3), (2, 2), (2, 1)),
    (Task(dim=3, size=6, xi=3, norm="l1"), (3,), (1,)),
    (Task(dim=3, size=6, xi=2.5), (2, 2, 2), (2, 2, 1)),
]


def general(task: Task, filters: tuple[int, ...], strides: tuple[int, ...], noise: Noise) -> Sensitivities:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sensitivities, "has_fast_path", lambda task: False)
        return theory.sensitivities(task, filter_size=filters, stride=strides, depth=len(filters), noise=noise)


@pytest.mark.filterwarnings("ignore:constant over the images:RuntimeWarning")
@pytest.mark.parametrize("mode", NOISE_MODES)
@pytest.mark.parametrize(("task", "filters", "strides"), CASES)
def test_fast_path_equals_general_path(
    task: Task, filters: tuple[int, ...], strides: tuple[int, ...], mode: NoiseMode
) -> None:
    noise = Noise(mode=mode)
    fast = theory.sensitivities(task, filter_size=filters, stride=strides, depth=len(filters), noise=noise)
    slow = general(task, filters, strides, noise)
    for name in ("D", "G", "R", "Delta"):
        np.testing.assert_allclose(getattr(fast, name), getattr(slow, name), rtol=1e-10, atol=1e-14, err_msg=name)


def test_fast_path_reaches_one_layer_beyond_the_rings() -> None:
    assert fast_depth(60, Pooling.of(2, 2, 6)) == 3
    assert fast_depth(64, Pooling.of(2, 2, 6)) == 6
    assert fast_depth(61, Pooling.of(3, 1, 6)) == 6
    assert fast_depth(61, Pooling.of(3, 2, 6)) == 1


def test_sums_over_runs_equal_sums_over_single_layers() -> None:
    rng = np.random.default_rng(0)
    gain, powers = np.sort(rng.random(40_000)) ** 3, rng.random((3, 40_000))
    expected = [powers @ gain**k for k in range(1, 60)]
    np.testing.assert_allclose(run_sums(powers, gain, 59), expected, rtol=1e-12)


@pytest.mark.parametrize("filter_size", [1, 2, 3, 5, 8, 19])
@pytest.mark.parametrize("stride", [1, 2, 3, 7])
def test_pooling_along_an_axis_is_a_mean_over_windows(filter_size: int, stride: int) -> None:
    values = np.random.default_rng(1).random((3, 8, 2))
    expected = [
        np.mean([values[:, (i + j - (filter_size - 1) // 2) % 8] for j in range(filter_size)], axis=0)
        for i in range(0, 8, stride)
    ]
    np.testing.assert_allclose(pool_axis(values, 1, filter_size, stride), np.stack(expected, axis=1), rtol=1e-14)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak memory of a process from /proc")
def test_million_pixels_thousand_layers_in_half_a_gigabyte() -> None:
    # The time it takes is measured by benchmarks/bench_theory.py.
    script = """
import json, sys
from pathlib import Path
from scaledetect import Noise, Task, theory
exact = theory.sensitivities(
    Task(size=2**20, xi=2**15), filter_size=3, stride=1, depth=1000, noise=Noise(mode="rectified_noise")
)
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) / 2**10
loaded = sorted({"torch", "numba", "matplotlib", "pandas"} & set(sys.modules))
print(json.dumps([peak, loaded, exact.D[-1], exact.A[-1]]))
"""
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    megabytes, loaded, last, field = json.loads(answer)
    assert megabytes < 500
    assert loaded == []
    # D -> 1 / (4 Var), and A^2 = 1 + 12 Var
    assert last == pytest.approx(3 / field**2, rel=0.01)


# ---------------------------------------------------------------------- the matched strength of noise


@pytest.mark.parametrize("labelling", ["distance", "block"])
@pytest.mark.parametrize(("dim", "sizes"), [(1, range(3, 13)), (2, range(3, 10)), (3, (3, 4, 5))])
def test_ensemble_sigma_equals_the_trace_of_the_dense_matrix(dim: int, sizes: range, labelling: str) -> None:
    checked = 0
    for size in sizes:
        for xi, gap in ((1.5, 0), (2, 0), (2.5, 1), (3, 0), (4, 2)):
            for norm, periodic in (("l2", True), ("l2", False), ("l1", False), ("linf", True)):
                geometry = {"dim": dim, "size": size, "xi": xi, "gap": gap, "norm": norm, "periodic": periodic}
                try:
                    task = Task(**geometry, labelling=labelling)  # type: ignore[arg-type]
                except ValueError:
                    continue
                dense = np.trace(shift_second_moment(pair_weights(task), transition(task)))
                expected = task.pixel_value * np.sqrt(dense / task.n_sites)
                assert theory.ensemble_sigma(task) == pytest.approx(expected, rel=1e-13)
                checked += 1
    assert checked > 5


@pytest.mark.parametrize(
    "task",
    [
        Task(size=2**31, xi=2**20),
        Task(size=2**31, xi=2**20, periodic=False),
        Task(dim=2, size=20_000, xi=3000, periodic=False),
        Task(dim=3, size=1000, xi=100, labelling="block"),
    ],
)
def test_ensemble_sigma_of_a_large_lattice_is_that_of_two_lone_pixels(task: Task) -> None:
    # E|tau x - x|^2 = 4 a^2 = 2 N: borders and encounters are rare
    assert theory.ensemble_sigma(task) == pytest.approx(np.sqrt(2), rel=0.02)


# ---------------------------------------------------------------------- what is refused


def test_noise_matched_by_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="match='sample'"):
        theory.sensitivities(Task(size=16, xi=4), noise=Noise(match="sample"))


def test_background_noise_is_refused() -> None:
    with pytest.raises(ValueError, match=r"background_noise=0\.5"):
        theory.sensitivities(Task(size=16, xi=4, background_noise=0.5))


def test_filter_wider_than_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"filter_size=17.*size=16"):
        theory.sensitivities(Task(size=16, xi=4), filter_size=17, stride=1)


@pytest.mark.parametrize(
    ("numbers", "error"),
    [
        ({"filter_size": 0}, ValueError),
        ({"stride": 2.0}, TypeError),
        ({"stride": (2, 2)}, ValueError),
        ({"depth": 0}, ValueError),
        ({"depth": True}, TypeError),
        ({"noise": "signed"}, TypeError),
    ],
)
def test_bad_numbers_are_refused(numbers: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(numbers))):
        theory.sensitivities(Task(size=16, xi=4), **numbers)  # type: ignore[arg-type]


def test_dense_matrices_have_a_limit_and_the_error_names_it() -> None:
    with pytest.raises(ValueError, match="6144 sites, not 10000"):
        theory.sensitivities(Task(dim=2, size=100, xi=10, periodic=False))
    with pytest.raises(ValueError, match="6144 sites, not 10001"):
        theory.sensitivities(Task(size=10_001, xi=10))
    with pytest.raises(ValueError, match="ring of 10001 sites"):
        theory.sensitivities(Task(size=20_002, xi=10))
    with pytest.raises(ValueError, match="at most 67108864 sites"):
        theory.sensitivities(Task(size=2**27, xi=10))


def test_large_odd_lattice_has_its_first_layer_all_the_same() -> None:
    assert theory.sensitivities(Task(size=10_001, xi=10), depth=1).D[0] == pytest.approx(0.5, abs=0.1)


# ---------------------------------------------------------------------- the call and its result


def test_net_and_numbers_give_the_same() -> None:
    task, net = Task(size=48, xi=9), SimpleNamespace(dim=1, pooling=Pooling((3, 2), (1, 2)))
    of_net = theory.sensitivities(task, net)
    of_numbers = theory.sensitivities(task, filter_size=[3, 2], stride=np.array([1, 2]), depth=2)  # type: ignore[arg-type]
    np.testing.assert_array_equal(of_net.G, of_numbers.G)
    assert of_net.layers == ("layer1", "layer2")


def test_net_that_does_not_fit_is_refused() -> None:
    task = Task(size=48, xi=9)
    with pytest.raises(ValueError, match="2 dimensions"):
        theory.sensitivities(task, SimpleNamespace(dim=2, pooling=Pooling((3,), (1,))))
    with pytest.raises(ValueError, match="the net or the numbers"):
        theory.sensitivities(task, SimpleNamespace(dim=1, pooling=Pooling((3,), (1,))), stride=1)
    with pytest.raises(TypeError, match="ConstantFilterNet"):
        theory.sensitivities(task, object())


def test_result_says_what_it_is() -> None:
    exact = theory.sensitivities(Task(size=32, xi=8), depth=3, noise=Noise(sigma=0.25))
    assert (exact.kind, exact.n, exact.sigma) == ("theory", 0, 0.25)
    assert not exact.D_stderr.any() and not exact.R_stderr.any()
    assert exact.A is not None
    np.testing.assert_allclose(exact.A, [2, 4, 8])
    assert json.loads(json.dumps(exact.to_dict()))["config"]["net"]["stride"] == [2, 2, 2]


@pytest.mark.parametrize("task", [Task(size=16, xi=4), Task(size=16, xi=4, labelling="block")])
def test_constant_layer_is_nan_with_a_warning_naming_it(task: Task) -> None:
    with pytest.warns(RuntimeWarning, match="NaN: layer4, layer5$"):
        exact = theory.sensitivities(task, depth=5)
    assert np.isnan(exact.D[3:]).all() and np.isnan(exact.G[3:]).all()
    assert np.isfinite(exact.D[:3]).all()
    # R needs no normalisation
    assert np.isfinite(exact.R).all()


def test_well_posed_layers_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theory.sensitivities(Task(dim=3, size=64, xi=8), depth=4)
