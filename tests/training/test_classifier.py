"""`PoolingNetClassifier` is an estimator of scikit-learn, and the net that `train` trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import scaledetect as sd
from scaledetect._base.errors import DivergedError
from scaledetect.sampling.seeds import factor_seed

# Small, and slow enough for data that are scaled in no way.
SMALL = sd.PoolingNetClassifier(width=32, max_epochs=20, lr=0.003)


@parametrize_with_checks([SMALL])  # type: ignore[untyped-decorator]
def test_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_is_the_net_that_train_trains_on_the_same_rows() -> None:
    task = sd.Task(dim=2, size=8, xi=4, labelling="block")
    run = sd.train(task, sd.nets.PoolingNet(dim=2, depth=3, width=64), n_train=40, seeds=0)
    X, y = sd.sample_images(task, 40, seed=factor_seed(0, "data"), split="train")
    model = sd.PoolingNetClassifier(dim=2, width=64, max_epochs=1000).fit(X.reshape(40, 64), y)
    assert (model.n_iter_, model.loss_, model.score(X.reshape(40, 64), y)) == (run.members[0].epochs, 0.0, 1.0)
    for name, tensor in run.members[0].net.state_dict().items():
        np.testing.assert_allclose(model.net_.state_dict()[name], tensor, rtol=1e-6, err_msg=name)
    assert len(sd.sensitivities(model.net_, task, 100)) == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"dim": 2}, r"must be L\^2 numbers a row"),
        ({"filter_size": 20}, r"a filter of 20 does not fit; lower filter_size"),
        ({"width": 0}, "width=0"),
        ({"random_state": -1}, "random_state=-1"),
        ({"max_epochs": 0}, "max_epochs=0"),
    ],
)
def test_refuses_numbers_out_of_range(options: dict[str, Any], says: str) -> None:
    X, y = sd.make_scale_detection(20, size=17, xi=4)
    with pytest.raises(ValueError, match=says):
        sd.PoolingNetClassifier(**options).fit(X, y)


def test_a_loss_that_is_not_finite_is_no_result() -> None:
    X, y = sd.make_scale_detection(20, size=16, xi=4)
    with pytest.raises(DivergedError, match="the loss is not finite after 1 epochs; lower it"):
        sd.PoolingNetClassifier(lr=1e30).fit(X, y)
