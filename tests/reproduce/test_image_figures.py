"""Figures on natural images and their claims: jobs, tables, drawings, and verdicts written out again by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import scaledetect as sd
from scaledetect.images import ImageData
from scaledetect.reproduce import reproduce
from scaledetect.reproduce.images import job as job_module
from scaledetect.reproduce.images.claims import (
    ImageHypothesis,
    claims_frame,
    decide_on_images,
    load_image_hypotheses,
    numbers,
)
from scaledetect.reproduce.images.grid import LABELS, image_jobs, layer_jobs
from scaledetect.reproduce.images.job import ImageDataJob
from scaledetect.reproduce.run import study
from scaledetect.reproduce.study import Size
from scaledetect.sampling.seeds import factor_seed
from scaledetect.training import ImageTrainConfig

CONFIG = ImageTrainConfig(epochs=1, batch_size=16, lr=0.02)
JOB = ImageDataJob("lenet", 32, 20, 3, CONFIG, {"width": 0.5}, data="digits", images=50)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return sd.images.load("digits")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return dict(JOB.run(tmp_path_factory.mktemp("run"), lambda text: None))


def test_tables_hold_what_a_measurement_by_hand_gives(tables: dict[str, pd.DataFrame], digits: ImageData) -> None:
    spec = sd.nets.NetSpec("lenet", {"in_channels": 1, "n_classes": 10, "width": 0.5})
    run = sd.train(digits, spec, n_train=32, n_test=20, seeds=3, config=CONFIG)
    noise, draws = sd.Noise(match="sample"), factor_seed(3, "measure")
    nets = {"initial": run.initial_net(3), "trained": run.member(3).net}
    nets["shuffled"] = sd.probes.shuffle_channels(nets["trained"], draws)
    for curve, net in nets.items():
        s = sd.image_sensitivities(net, digits.test_images[:50], noise=noise, seed=draws)
        rows = tables["layers"][tables["layers"]["curve"] == curve]
        assert rows["layer"].tolist() == list(s.layers)
        assert np.array_equal(rows["D"], s.D) and np.array_equal(rows["G"], s.G)
    row = tables["nets"].iloc[0]
    assert (row["test_error"], row["train_error"]) == (run.member(3).test_error, run.member(3).train_error)
    spectra = tables["spectra"]
    constant = spectra[(spectra["curve"] == "trained") & (spectra["eigenvalue"] < 1e-9)]["P"]
    np.testing.assert_array_equal(constant, sd.probes.filter_spectrum(nets["trained"]).constant)


def test_a_net_without_convolutions_and_one_that_diverges_have_their_rows(tmp_path: Path) -> None:
    full = ImageDataJob("fc2", 32, 20, 0, CONFIG, data="digits", images=50).run(tmp_path / "a", lambda text: None)
    assert set(full) == {"nets", "layers"} and set(full["layers"]["curve"]) == {"initial", "trained"}
    wild = ImageTrainConfig(epochs=1, batch_size=16, lr=1e30)
    lost = ImageDataJob("lenet", 32, 20, 0, wild, data="digits").run(tmp_path / "b", lambda text: None)
    assert list(lost) == ["nets"] and lost["nets"]["status"].tolist() == ["diverged"]


@pytest.mark.parametrize("size", ["small", "laptop", "paper"])
def test_jobs_have_names_of_their_own_and_the_figures_share_them(size: Size) -> None:
    jobs = {job.name: job for job in image_jobs(size)}
    assert len(jobs) == len(image_jobs(size))
    assert all(jobs[job.name] == job for job in layer_jobs(size))
    if size == "laptop":
        assert {job.net for job in jobs.values()} == set(LABELS)
        assert {job.config.noise_norm for job in jobs.values()} == {0, 1, 10, 30}
        ten = [job.net for job in jobs.values() if job.seed == 9]
        assert sorted(ten) == ["lenet", "resnet18", "vgg11", "vgg11_bn"]
        assert all((job.n_train, job.n_test) == (10_000, 10_000) for job in jobs.values())


def test_the_paper_size_is_the_published_protocol() -> None:
    jobs = image_jobs("paper")
    assert {job.config.noise_norm for job in jobs} == {0, 0.01, 0.1, 1, 10, 30, 100}
    assert {job.seed for job in jobs} == set(range(5))
    one = next(job for job in jobs if job.net == "vgg11_bn" and not job.config.noise_norm)
    assert one.config == ImageTrainConfig(keep="best_test_error")
    assert (one.n_train, one.images, dict(one.options)) == (50_000, 500, {})


def test_the_three_figures_share_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = (JOB, ImageDataJob("fc2", 32, 20, 3, CONFIG, data="digits", images=50))
    for module, found in (("error_figure", jobs), ("layers_figure", jobs[:1]), ("filters_figure", jobs[:1])):
        monkeypatch.setattr(f"scaledetect.reproduce.images.{module}.STUDY", _with_jobs(module, found))
    first = reproduce("images-error", size="small", output=tmp_path)
    assert [path.name for path in (*first.data, *first.figures)] == [
        "images-error-nets.csv", "images-error.png", "images-error.svg",
    ]  # fmt: skip
    monkeypatch.setattr(job_module, "_load", lambda name: pytest.fail("trains again"))
    again = [reproduce(name, size="small", output=tmp_path) for name in ("images-layers", "filters")]
    assert [path.name for done in again for path in done.data] == ["images-layers-layers.csv", "filters-spectra.csv"]
    with pytest.raises(ValueError, match=r"size='small': 'examples' is made at 'laptop' or 'paper'"):
        reproduce("examples", size="small", output=tmp_path)


def _with_jobs(module: str, jobs: tuple[ImageDataJob, ...]) -> Any:
    from dataclasses import replace

    name = {"error_figure": "images-error", "layers_figure": "images-layers", "filters_figure": "filters"}[module]
    return replace(study(name), jobs=lambda size: jobs)


# ---------------------------------------------------------------------- claims, on tables made up


def made_up(fall: dict[int, float], *, train_error: float = 0.3) -> dict[str, pd.DataFrame]:
    """VGG11 whose D falls by exp(fall) more after training than before, by seed; shuffled, by half of that."""
    rows, nets, spectra = [], [], []
    for seed, y in fall.items():
        nets.append({"net": "vgg11", "sigma": 0.0, "seed": seed, "train_error": train_error, "test_error": 0.4})
        nets[-1] |= {"D": 1.0, "G": 1.0, "R": 1.0}
        for curve, last in (("initial", 1.0), ("trained", np.exp(-y)), ("shuffled", np.exp(-y / 2))):
            about = {"net": "vgg11", "sigma": 0.0, "seed": seed, "curve": curve}
            rows += [{**about, "k": k, "D": D} for k, D in ((1, 0.5), (2, 7.0), (3, 0.5 * last))]
            if curve != "shuffled":
                P = 0.1 if curve == "initial" else 0.1 * np.exp(y)
                spectra += [
                    {**about, "k": k, "eigenvalue": v, "P": P if v == 0 else 9} for k in (1, 2) for v in (0.0, 1.0)
                ]
    return {"nets": pd.DataFrame(nets), "layers": pd.DataFrame(rows), "spectra": pd.DataFrame(spectra)}


@pytest.mark.parametrize(
    ("number", "factor"), [("fall", 1.0), ("shuffled_output", 0.5), ("shuffled_fall", 0.5), ("constant_rise", 1.0)]
)
def test_the_number_of_each_net_is_the_one_that_is_written_down(number: Any, factor: float) -> None:
    hypothesis = ImageHypothesis(id="one", claim="", net="vgg11", number=number)
    y, not_learnt = numbers(hypothesis, made_up({2: 0.3, 0: 0.1, 1: 0.2}), 0.7)
    np.testing.assert_allclose(y, factor * np.array([0.1, 0.2, 0.3]))
    assert not_learnt == 0


def test_a_net_that_has_not_learnt_does_not_count() -> None:
    found = {one.hypothesis.id: one for one in decide_on_images(made_up({0: 2.0, 1: 2.1}, train_error=0.83))}
    assert found["vgg11-D-falls"].decision is None and found["vgg11-D-falls"].not_learnt == 2
    frame = claims_frame(tuple(found.values())).set_index("id")
    assert frame.loc["vgg11-D-falls", "verdict"] == "no data"


def test_directions_are_decided_at_the_level_that_all_share() -> None:
    """Student's t with two degrees of freedom, one-sided at .05/14: 11.8 is the edge."""
    m = len(load_image_hypotheses().hypotheses)
    for scatter, verdict in ((0.01, "confirmed"), (0.2, "open")):
        y = {0: 1.0 - scatter, 1: 1.0, 2: 1.0 + scatter}
        (one,) = [d for d in decide_on_images(made_up(y)) if d.hypothesis.id == "vgg11-D-falls"]
        assert one.decision is not None
        t = 1.0 / (scatter / np.sqrt(3))
        p = 0.5 * (1 - t / np.sqrt(2 + t**2))  # Student's distribution with two degrees of freedom, in closed form
        assert one.decision.p_confirm == pytest.approx(p, rel=1e-6)
        assert one.decision.verdict == verdict == ("confirmed" if p <= 0.05 / m else "open")


def test_correlations_are_decided_by_counting_all_orders() -> None:
    tables = made_up({0: 1.0})
    kinds = ["a", "b", "c", "d", "e", "f", "g"]
    errors = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    nets = pd.DataFrame({"net": kinds, "sigma": 0.0, "seed": 0, "train_error": 0.5, "test_error": errors})
    nets["D"], nets["R"], nets["G"] = np.exp(errors), np.exp(errors), np.exp(errors)[::-1]
    nets.loc[[5, 6], "R"] = nets.loc[[6, 5], "R"].to_numpy()
    found = {one.hypothesis.id: one.decision for one in decide_on_images(tables | {"nets": nets})}
    D, R, G = (found[name] for name in ("error-with-D", "error-with-R", "error-against-G"))
    assert D is not None and R is not None and G is not None
    # One order of 5040 agrees as well; with one exchange of neighbours there are six more and the perfect one.
    assert [D.p_confirm, R.p_confirm, G.p_confirm] == pytest.approx([1 / 5040, 7 / 5040, 1 / 5040])
    assert [D.value, G.value] == pytest.approx([1, -1])
    assert D.verdict == G.verdict == "confirmed" and R.n_seeds == 7


def test_correlations_over_many_kinds_are_decided_by_orders_drawn_at_random() -> None:
    """Ten kinds with one exchange of neighbours: ten orders of 10! agree as well or better, far below the level."""
    errors = np.linspace(0.1, 0.7, 10)
    nets = pd.DataFrame({"net": list("abcdefghij"), "sigma": 0.0, "seed": 0, "train_error": 0.5, "test_error": errors})
    nets["D"] = nets["G"] = nets["R"] = np.exp(errors[[1, 0, *range(2, 10)]])
    found = {one.hypothesis.id: one.decision for one in decide_on_images(made_up({0: 1.0}) | {"nets": nets})}
    D, G = found["error-with-D"], found["error-against-G"]
    assert D is not None and G is not None
    # One in 200,001 is the observed order itself; ten in 3.6 million are expected among the drawn ones: half of one.
    assert D.verdict == "confirmed" and D.p_confirm <= 6 / 200_001
    assert G.verdict == "refuted" and G.n_seeds == 10


def test_a_file_of_hypotheses_is_checked(tmp_path: Path) -> None:
    head = 'format = "scaledetect.image-hypotheses/1"\nalpha = 0.05\nmost_train_error = 0.7\n'
    path = tmp_path / "own.toml"
    for body, says in (
        ('[[hypotheses]]\nid = "a"\nclaim = ""\nnumber = "fall"', "goes with all numbers"),
        ('[[hypotheses]]\nid = "a"\nclaim = ""\nnumber = "sum"\nnet = "lenet"', r"hypotheses.0.number"),
        ("x = 1", "own.toml"),
    ):
        path.write_text(head + body)
        with pytest.raises(ValueError, match=says):
            load_image_hypotheses(path)
