"""`deep-nets` and `layers-2d`: the jobs that are asked for, their tables, and the figures drawn from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import scaledetect as sd
from scaledetect.reproduce.deep_nets import LABELS, paper_task
from scaledetect.reproduce.image_job import ImageNetJob, published_recipe
from scaledetect.reproduce.run import study
from scaledetect.reproduce.study import Size
from scaledetect.sampling.seeds import factor_seed

JOB = ImageNetJob("lenet", paper_task(), n_train=256, seed=3, epochs=2, n_test=64, draws=100, layers=True)


def silent(text: str) -> None:
    del text


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return dict(JOB.run(tmp_path_factory.mktemp("run"), silent))


def test_the_task_is_the_papers_but_for_its_amplitude() -> None:
    card = sd.load_task("distance-2d-L28-xi14-gap2-open")
    assert replace(paper_task(), amplitude=card.amplitude) == card


@pytest.mark.parametrize("size", ["laptop", "paper"])
@pytest.mark.parametrize("name", ["deep-nets", "layers-2d"])
def test_jobs_have_names_of_their_own_and_fit_the_task(name: str, size: Size) -> None:
    jobs = study(name).jobs(size)
    assert len({job.name for job in jobs}) == len(jobs)
    assert all(isinstance(job, ImageNetJob) and job.n_train in (1024, 2048) for job in jobs)
    kinds = {job.net for job in jobs if isinstance(job, ImageNetJob)}
    if name == "layers-2d":
        assert kinds == {"vgg11", "vgg11_bn"} and all("P2048" in job.name for job in jobs)
    else:
        assert len(kinds) == (6 if size == "laptop" else 11) and kinds >= set(LABELS)


@pytest.mark.parametrize("size", ["laptop", "paper"])
def test_layers_are_those_of_nets_that_are_trained_anyway(size: Size) -> None:
    jobs = {job.name: job.describe() for job in study("deep-nets").jobs(size)}
    assert all(jobs[job.name] == job.describe() for job in study("layers-2d").jobs(size))


def test_the_recipe_is_the_published_one() -> None:
    config = published_recipe(300)
    assert (config.loss, config.optimizer, config.lr, config.momentum) == ("hinge", "sgd", 0.05, 0.9)
    assert (config.weight_decay, config.batch_size, config.max_epochs) == (5e-4, 128, 300)
    # The cosine falls over 240 epochs; training goes on to the end, whenever the loss is 0.
    assert config.factor(240) < 1e-4 and config.factor(300) == config.factor(240) and config.factor(120) > 0.5
    assert config.last_epoch(1) == 300


def test_tables_hold_what_a_measurement_by_hand_gives(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    (member,) = sd.train(JOB.task, "lenet", n_train=256, n_test=64, seeds=3, config=JOB.config)
    s = sd.sensitivities(member.net, JOB.task, 100, noise=sd.Noise(match="sample"), seed=factor_seed(3, "measure"))
    trained = tables["layers"][tables["layers"]["curve"] == "trained"]
    assert trained["layer"].tolist() == list(s.layers)
    assert np.array_equal(trained["D"], s.D) and np.array_equal(trained["G"], s.G)
    row = tables["nets"].iloc[0]
    assert (row["test_error"], row["D"]) == (member.test_error, s.D[-1])
    assert set(tables["layers"]["curve"]) == {"initial", "trained", "shuffled"}
    assert trained["depth"].iloc[-1] == 1


def test_a_diverged_net_has_no_score(tmp_path: Path) -> None:
    wild = replace(JOB, lr=1e30)
    row = wild.run(tmp_path, silent)["nets"].iloc[0]
    assert row["status"] == "diverged" and "test_error" not in row


def test_figures(tables: dict[str, pd.DataFrame]) -> None:
    nets = pd.concat(
        [tables["nets"].assign(net=net, test_error=0.1 * (k + 1), D=0.5**k) for k, net in enumerate(LABELS)],
        ignore_index=True,
    )
    (deep,) = study("deep-nets").draw({"nets": nets}).values()
    assert [axes.get_ylabel() for axes in deep.axes] == ["test error, P = 256", "", ""]
    assert [text.get_text() for text in deep.legends[0].get_texts()] == list(LABELS.values())
    layers = pd.concat([tables["layers"].assign(net=net) for net in ("vgg11", "vgg11_bn")], ignore_index=True)
    (figure,) = study("layers-2d").draw({"layers": layers}).values()
    lines = figure.axes[0].get_lines()
    assert len(lines) == 6
    trained = tables["layers"][tables["layers"]["curve"] == "trained"]
    assert np.allclose(np.asarray(lines[1].get_ydata(), dtype=float), trained["D"])
