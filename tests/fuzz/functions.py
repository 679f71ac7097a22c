"""Every public function and class with arguments that are right, of which the fuzzer changes some."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import numpy as np
import torch

import scaledetect as sd
from fuzz.values import changed
from scaledetect import entry, nets, probes, statistics, theory
from scaledetect.experiments import load_experiment_card
from scaledetect.leaderboard.runner import plan_runs

__all__ = ["EXEMPT", "FACES", "FUNCTIONS", "call_of", "names_of"]

TASK = sd.Task(size=16, xi=4)
FLAT = sd.Task(dim=2, size=6, xi=2.5)
NET = nets.PoolingNet(depth=2, width=2)
BOXES = nets.ConstantFilterNet(depth=2)
NOISE = sd.Noise()
PAIRS, Y = sd.sample_pairs(TASK, 6)
IMAGES = np.random.default_rng(0).random((50, 1, 8, 8), dtype=np.float32)
CONVOLUTIONS = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(2, 2, 3))
SEEDS = np.random.default_rng(1).random(8)
ROWS = np.random.default_rng(2).random((8, 3))
CONFIG = sd.TrainConfig(max_epochs=2)


@cache
def measured(keep_sums: bool = False, net: torch.nn.Module = NET, n: int = 100) -> sd.Sensitivities:
    return sd.sensitivities(net, TASK, n, keep_sums=keep_sums)


@cache
def exact() -> sd.Sensitivities:
    return theory.sensitivities(TASK, depth=2)


@cache
def of_first_order() -> sd.Sensitivities:
    return theory.cluster_sensitivities(NET, TASK, order=1, n=100)


def of_images(**more: Any) -> dict[str, Any]:
    return {"noise": NOISE, "layers": None, "channel_mean": False, "seed": 0, "device": "cpu", "dtype": None, **more}


FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Task": (sd.Task, dict(dim=1, size=16, xi=4, gap=0, labelling="distance", norm="l2", periodic=True,
                    amplitude="norm",
                           balance="equal", background_noise=0.0)),
    "Task 2-D": (sd.Task, dict(dim=2, size=6, xi=2.5, gap=0.5, labelling="distance", norm="l1", periodic=False)),
    "Noise": (sd.Noise, dict(mode="signed", match="ensemble", sigma=None)),
    "TrainConfig": (sd.TrainConfig, dict(batch_size=8, lr=0.01, ridge=0.0, loss="hinge", optimizer="sgd",
                                         schedule="constant", max_epochs=5, target_loss=0.0, zero_multiple=1.0,
                                         zero_validation=False, dtype="float32", momentum=0.0, weight_decay=0.0,
                                         cosine_share=1.0)),
    "Diffeo": (sd.Diffeo, dict(cutoff=(2, 3), temperature=None, delta=(0.5, 1.0))),
    "ScaleDetectionDataset": (sd.ScaleDetectionDataset, dict(task=TASK, n=8, seed=0, split="train", target="sign",
                                                             transform=None)),
    "Sensitivities.from_arrays": (sd.Sensitivities.from_arrays, dict(D=SEEDS, G=SEEDS, layers=list("abcdefgh"),
                    A=None)),
    "bootstrap_mean": (sd.bootstrap_mean, dict(values=SEEDS, level=0.95, resamples=100, seed=0)),
    "bootstrap_ratio": (sd.bootstrap_ratio, dict(numerator=SEEDS, denominator=SEEDS + 1, level=0.9, resamples=100,
                    seed=0)),
    "fit_exponent": (sd.fit_exponent, dict(A=np.array([1.0, 2.0, 4.0]), values=ROWS + 1, layers=(1, 3), level=0.95,
                                           resamples=100, seed=0)),
    "compare": (sd.compare, dict(nets=[NET, NET], task=TASK, n=100, blocks=50)),
    "deform": (sd.deform, dict(images=IMAGES, field=np.zeros((50, 2, 8, 8), dtype=np.float32))),
    "diffeo": (sd.diffeo, dict(images=IMAGES, temperature=None, delta=1.0, cutoff=3, seed=0, start=0)),
    "diffeo_coefficients": (sd.diffeo_coefficients, dict(n=3, cutoff=3, seed=0, start=0)),
    "diffeo_temperature_range": (sd.diffeo_temperature_range, dict(size=32, cutoff=3)),
    "displacement_field": (sd.displacement_field, dict(coefficients=np.ones((2, 2, 3, 3)), size=16, temperature=1e-4)),
    "typical_displacement": (sd.typical_displacement, dict(size=32, temperature=1e-4, cutoff=3)),
    "image_sensitivities": (sd.image_sensitivities, dict(net=CONVOLUTIONS, images=IMAGES, delta=0.8, cutoff=2,
                                                         **of_images(blocks=50, batch_size=4))),
    "list_experiments": (sd.list_experiments, dict(regime="trained")),
    "list_tasks": (sd.list_tasks, dict(kind="theory")),
    "load_card": (sd.load_card, dict(name="block-1d-L64-xi16")),
    "load_task": (sd.load_task, dict(name="block-1d-L64-xi16")),
    "load_experiment": (sd.load_experiment, dict(name="block-1d-L64-background-initial")),
    "load_experiment_card": (load_experiment_card, dict(name="block-1d-L128-trained")),
    "load_member": (sd.load_member, dict(path="nowhere/seed-0.pt", net=None)),
    "make_scale_detection": (sd.make_scale_detection, dict(n_samples=5, size=16, xi=4, dim=1, gap=0,
                             labelling="distance", norm="l2", periodic=True, amplitude="norm", balance="equal",
                             background_noise=0.5, sparse=False, random_state=0)),
    "merge": (lambda parts: sd.merge(parts), dict(parts=())),
    "noise_images": (sd.noise_images, dict(task=TASK, n=2, seed=0, start=0, dtype="float32")),
    "render_pairs": (sd.render_pairs, dict(pairs=PAIRS, task=TASK, dtype="float32", out=None)),
    "sample_images": (sd.sample_images, dict(task=TASK, n=6, seed=0, split="test", replace=False, start=2,
                                             dtype="float64", out=None)),
    "sample_pairs": (sd.sample_pairs, dict(task=TASK, n=6, seed=0, split=None, replace=True, start=5)),
    "shift_pairs": (sd.shift_pairs, dict(pairs=PAIRS, y=Y, task=TASK, seed=0, start=0)),
    "sensitivities": (sd.sensitivities, dict(net=NET, task=TASK, n=100, target_stderr=None, start=0, keep_sums=False,
                                             **of_images(blocks=50, batch_size=None))),
    "sensitivities of all": (sd.sensitivities, dict(net=BOXES, task=sd.Task(size=8, xi=3), n="all", **of_images())),
    "train": (sd.train, dict(task=TASK, net=NET, n_train=8, n_validation=4, n_test=4, seeds=(0, 1), config=CONFIG,
                             output=None, track=(), noise=NOISE, start_from=None, on_epoch=None, device="cpu",
                             checkpoint_every=20.0)),
    "theory.at_initialisation": (theory.at_initialisation, dict(task=TASK, net=None, filter_size=2, stride=2, depth=2,
                                 gain="critical", width=None, channel_mean=False, noise=NOISE, n=200, seed=0)),
    "theory.cluster_profile": (theory.cluster_profile, dict(net=NET, task=TASK, layers=None, channel_mean=False, seed=0,
                                                            prepare=None, device="cpu", dtype=None)),
    "theory.cluster_sensitivities": (theory.cluster_sensitivities, dict(net=NET, task=TASK, order=1, n=100,
                    **of_images())),
    "theory.coherent_share": (theory.coherent_share, dict(task=TASK, net=None, filter_size=2, stride=2, depth=2,
                                                          noise=NOISE)),
    "theory.ensemble_sigma": (theory.ensemble_sigma, dict(task=FLAT)),
    "theory.exponents": (theory.exponents, dict(filter_size=3, stride=2, dim=2)),
    "theory.kernel_learning_curve": (theory.kernel_learning_curve, dict(task=sd.Task(size=8, xi=3), kernel="nngp",
                                     n_train=[2, 4], ridge=0.1, n_draws=2, seed=0, finite_population=False)),
    "theory.lattice_sensitivities": (theory.lattice_sensitivities, dict(filter_size=3, stride=2, depth=3, dim=1)),
    "theory.mean_filter_sensitivities": (theory.mean_filter_sensitivities, dict(task=TASK, noise=NOISE, stride=2,
                                         filters=[np.array([0.5, 0.5]), np.array([0.4, 0.6])])),
    "theory.one_net_scatter": (theory.one_net_scatter, dict(depth=3, width=16)),
    "theory.pair_interaction": (lambda first_order, measured: theory.pair_interaction(first_order, measured),
                                dict(first_order=None, measured=None)),
    "theory.refinement_matrix": (theory.refinement_matrix, dict(filter_size=4, stride=2)),
    "theory.sensitivities": (theory.sensitivities, dict(task=TASK, net=None, filter_size=2, stride=2, depth=2,
                                                        noise=NOISE)),
    "theory.sensitivities 2-D": (theory.sensitivities, dict(task=FLAT, filter_size=(2, 3), stride=(2, 1), depth=2,
                                                            noise=NOISE)),
    "probes.coherent_share": (probes.coherent_share, dict(net=NET, task=TASK, n=200, prepare=None, **of_images())),
    "probes.effective_receptive_field": (probes.effective_receptive_field, dict(net=NET, images=TASK, n=4, layers=None,
                                         periodic=True, dither=0.001, prepare=None, seed=0, batch_size=2)),
    "probes.filter_spectrum": (probes.filter_spectrum, dict(net=CONVOLUTIONS)),
    "probes.gaussian_filters": (probes.gaussian_filters, dict(net=CONVOLUTIONS, seed=0)),
    "probes.mean_field_filters": (probes.mean_field_filters, dict(net=CONVOLUTIONS)),
    "probes.mean_filters": (probes.mean_filters, dict(net=NET)),
    "probes.shuffle_channels": (probes.shuffle_channels, dict(net=NET, seed=0)),
    "nets.ConstantFilterNet": (nets.ConstantFilterNet, dict(dim=1, filter_size=2, stride=(2, 1), depth=2)),
    "nets.PoolingNet": (nets.PoolingNet, dict(dim=1, filter_size=2, stride=2, depth=2, width=3, gain="critical",
                    seed=0)),
    "nets.LeNet": (nets.LeNet, dict(in_channels=1, n_classes=2, width=0.1, seed=0)),
    "nets.FullyConnected": (nets.FullyConnected, dict(depth=2, in_channels=1, n_classes=2, width=4, seed=0)),
    "nets.get": (lambda name, **options: nets.get(name, **options), dict(name="lenet", n_classes=2, width=0.1, seed=0)),
    "nets.NetSpec": (nets.NetSpec, dict(name="pooling", options={"depth": 2, "width": 2})),
    "nets.NetFactory": (nets.NetFactory, dict(function=lambda seed: NET)),
    "nets.calibrate_batch_norm": (nets.calibrate_batch_norm, dict(net=CONVOLUTIONS, images=IMAGES, batch_size=4)),
    "images.white_noise": (sd.images.white_noise, dict(images=IMAGES, norm=1.0, seed=0, start=0)),
    "images.load": (sd.images.load, dict(name="digits", size=8, root=None, normalise=True, data_home=None)),
    "statistics.decide_direction": (statistics.decide_direction, dict(numerator=SEEDS, denominator=SEEDS + 1,
                    alpha=0.05,
                                                                     hypotheses=2)),
    "statistics.decide_prediction": (statistics.decide_prediction, dict(values=SEEDS, tolerance=(0.2, 0.8), alpha=0.05,
                                                                       hypotheses=2)),
    "statistics.direction_power": (statistics.direction_power, dict(effect=0.5, scatter=0.2, n_seeds=5, alpha=0.05,
                                                                   hypotheses=1)),
    "statistics.equivalence_power": (statistics.equivalence_power, dict(tolerance=0.5, scatter=0.2, n_seeds=5,
                    alpha=0.05,
                                                                       hypotheses=1, offset=0.0)),
    "statistics.tolerance_for_power": (statistics.tolerance_for_power, dict(scatter=0.2, n_seeds=5, power=0.8,
                    alpha=0.05,
                                                                           hypotheses=1)),
    "statistics.hotelling": (statistics.hotelling, dict(differences=ROWS, layers=(0, 1))),
    "statistics.score": (statistics.score, dict(predicted=ROWS[0], measured=ROWS, measured_stderr=ROWS)),
    "entry.find_entry": (entry.find_entry, dict(source="chance")),
    "entry.entry_names": (entry.entry_names, dict(budget="quick")),
    "ImageTrainConfig": (sd.ImageTrainConfig, dict(epochs=2, batch_size=8, lr=0.1, optimizer="sgd", momentum=0.9,
                         weight_decay=0.0, schedule="cosine", cosine_share=0.8, crop=4, flip=True, noise_norm=0.0,
                         noise="anew", keep="last", bfloat16=False)),
    "net_report": (sd.net_report, dict(net=NET, images_or_task=TASK, initial=None, n=100, noise=None, delta=None,
                                       cutoff=None, layers=None, seed=0, device="cpu")),
    "statistics.joint_test": (lambda measured, prediction, quantity: statistics.joint_test(
        measured, prediction, quantity), dict(measured=None, prediction=None, quantity="D")),
    "plan_runs": (plan_runs, dict(cards=["block-2d-L16-xi8"], entries=["chance"], n_train=[32], seeds=[0],
                                  budget="quick")),
}  # fmt: skip

WORK = {"n", "n_draws", "resamples", "max_epochs", "track_draws", "n_seeds", "depth", "seeds"}
"""Integers that ask for work in proportion: a large one is honest, and is not tried where it takes long."""

FACES: tuple[Any, ...] = (sd, theory, probes, nets, statistics)
"""Modules whose public functions and classes all have a target here, or a reason in `EXEMPT`."""

EXEMPT = {
    "results, which the package makes": (
        "Experiment", "ExponentFit", "Exponents", "Interval", "NetComparison", "Pooling", "Sensitivities",
        "TheoryComparison", "TrainProgress", "TrainedMember", "TrainingRun", "TypicalDisplacement",
        "KernelLearningCurve", "FilterSpectrum", "Levels", "ReceptiveFields", "Decision", "HotellingTest", "Score",
        "Verdict", "ImageTrainingRun", "NetReport",
    ),
    "as scikit-learn asks, its arguments are checked when it is fitted": ("PoolingNetClassifier",),
    "contract that authors of theories fill in": ("Theory",),
    "layers with the arguments of torch's own": (
        "CircularConv1d", "CircularConv2d", "CircularConv3d", "circular_conv", "circular_pad",
    ),
    "as LeNet, and larger": ("AlexNet", "EfficientNetB0", "ResNet", "VGG"),
    "no arguments": ("show_versions", "names"),
}  # fmt: skip


def call_of(name: str, rng: Random) -> tuple[Callable[..., Any], dict[str, Any], set[str]]:
    """A function, arguments of which up to two are changed, and the names of those."""
    function, right = FUNCTIONS[name]
    arguments = dict(right)
    if name == "merge":
        arguments["parts"] = [measured(True), measured(True)]
    if name == "statistics.joint_test":
        arguments |= {"measured": measured(net=BOXES, n=2000), "prediction": exact()}
    if name == "theory.pair_interaction":
        arguments = {"first_order": of_first_order(), "measured": measured()}
    asked = rng.sample(sorted(arguments), min(rng.choice((0, 1, 1, 1, 2)), len(arguments)))
    for key in asked:
        value = changed(arguments[key], rng)
        honest = key in WORK and isinstance(value, int) and 64 < value < 2**200
        arguments[key] = arguments[key] if honest else value
    return function, arguments, set(asked)


def names_of(function: Callable[..., Any], arguments: dict[str, Any]) -> Iterator[str]:
    """Names that a refusal may name: arguments, and the fields of those that are objects or mappings."""
    yield from (*arguments, "entry", "card", "net", "task")
    for value in arguments.values():
        yield from getattr(value, "__dataclass_fields__", ())
        if isinstance(value, dict):
            yield from map(str, value)
    yield from inspect.signature(function).parameters
