"""`PoolingNetClassifier`: the paper's trained net as an estimator of scikit-learn."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from scaledetect._base.arguments import check_seed, integer
from scaledetect._base.errors import DivergedError, bad_value
from scaledetect.nets import PoolingNet
from scaledetect.nets.pooling import Gain
from scaledetect.sampling.seeds import epoch_order, epoch_seed, factor_seed
from scaledetect.training.config import TrainConfig
from scaledetect.training.data import Rows
from scaledetect.training.engines import StackedEngine

__all__ = ["PoolingNetClassifier"]

MOST_LAYERS = 6
"""Of a depth that is not given."""


class PoolingNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A `PoolingNet` trained with the hinge loss, for two classes, on images that are rows of a table.

    Parameters
    ----------
    dim : {1, 2, 3}, default 1
        Dimensions of the images: a row has L^dim numbers.
    filter_size, stride : int or tuple of int, default 2
        Of each layer, or of all; at most L.
    depth : int, optional
        Layers; by default as many as shrink the image to one site, at most 6.
    width : int, default 128
        Channels.
    gain : {"critical", "paper"}, default "critical"
    lr : float, default 0.01
        Learning rate over the width.
    batch_size : int, default 8
    ridge : float, default 0
    max_epochs : int, default 200
        Training stops earlier, in the first epoch without loss.
    random_state : int, RandomState instance or None, default 0
        Decides first weights and the order of the batches.

    Attributes
    ----------
    net_ : PoolingNet
        The trained net, in eval mode: measure it with `scaledetect.sensitivities`.
    classes_ : ndarray of shape (2,)
        The second is the one of positive decisions.
    n_iter_ : int
        Epochs.
    loss_ : float
        Mean hinge loss of the last epoch; 0 where training is complete.
    n_features_in_ : int

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 5. `scaledetect.train` trains many of them at once
    on a task, and keeps and resumes them.

    Examples
    --------
    >>> import scaledetect as sd
    >>> X, y = sd.make_scale_detection(64, size=32, xi=8, labelling="block")
    >>> model = sd.PoolingNetClassifier(width=32).fit(X, y)
    >>> model.score(X, y), model.net_.pooling.depth
    (1.0, 5)
    """

    def __init__(
        self,
        *,
        dim: int = 1,
        filter_size: int | tuple[int, ...] = 2,
        stride: int | tuple[int, ...] = 2,
        depth: int | None = None,
        width: int = 128,
        gain: Gain = "critical",
        lr: float = 0.01,
        batch_size: int = 8,
        ridge: float = 0.0,
        max_epochs: int = 200,
        random_state: Any = 0,
    ) -> None:
        self.dim, self.filter_size, self.stride, self.depth = dim, filter_size, stride, depth
        self.width, self.gain, self.lr, self.batch_size = width, gain, lr, batch_size
        self.ridge, self.max_epochs, self.random_state = ridge, max_epochs, random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on the rows of `X`, shape (n, L^dim), finite, with labels `y` of two classes, shape (n,).

        Raises
        ------
        TypeError, ValueError
            Naming the argument; for rows of another length than L^dim, and labels that are not of two classes.
        DivergedError
            When the loss stops being finite: lower `lr`.
        """
        table, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            kinds = "1 class" if len(self.classes_) == 1 else f"{len(self.classes_)} classes"
            text = "Only binary classification is supported"
            raise bad_value("y", kinds, f"{text}: two classes are needed, and more than one class")
        config = TrainConfig(batch_size=self.batch_size, lr=self.lr, ridge=self.ridge, max_epochs=self.max_epochs)
        root = self._root_seed()
        net, images = self._built(root), self._images(table)
        labels = torch.from_numpy(np.where(places == 1, 1, -1).astype(np.float32))
        engine = StackedEngine([net], self._side(), config, torch.device("cpu"))
        rows = Rows(images[None], labels[None])
        for epoch in range(1, config.max_epochs + 1):
            order = epoch_order(root, epoch, len(labels))[None]
            self.loss_ = float(engine.epoch(rows, order, epoch_seed(root, epoch) % 2**63, config.factor(epoch))[0])
            self.n_iter_ = epoch
            if np.isnan(self.loss_):
                raise DivergedError(f"lr={self.lr!r}: the loss is not finite after {epoch} epochs; lower it")
            if self.loss_ <= 0:
                break
        self.net_ = engine.net(0).eval()
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """The net's output, shape (n,); positive for the second class."""
        check_is_fitted(self)
        table = validate_data(self, X, dtype=np.float32, reset=False)
        with torch.no_grad():
            parts = [self.net_(part)[:, 0] for part in torch.split(self._images(table), 512)]
        return np.asarray(torch.cat(parts).double().numpy(), dtype=np.float64)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class of each row, shape (n,)."""
        decisions = self.decision_function(X)
        return np.asarray(self.classes_[(decisions > 0).astype(np.int64)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _root_seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return check_seed(self.random_state, "random_state")
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _side(self) -> int:
        """L, of rows of L^dim numbers."""
        dim = integer("dim", self.dim, 1, 3, kind="1, 2 or 3")
        side = round(self.n_features_in_ ** (1 / dim))
        if side**dim != self.n_features_in_:
            raise bad_value(
                "X", f"{self.n_features_in_} features", f"must be L^{dim} numbers a row", "choose another dim"
            )
        return int(side)

    def _images(self, X: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(X)).view(len(X), 1, *(self._side(),) * self.dim)

    def _built(self, root: int) -> PoolingNet:
        side, (first, _), (step, layers) = self._side(), _first(self.filter_size), _first(self.stride)
        if side < first:
            text = f"images of side {side}, n_features={self.n_features_in_}: a filter of {first} does not fit"
            raise bad_value("X", f"{self.n_features_in_} feature(s)", text, "lower filter_size")
        depth = self.depth
        if depth is None:
            layers = layers or _first(self.filter_size)[1]
            depth = layers or max(1, min(MOST_LAYERS, int(math.log(side) / math.log(max(2, step)) + 1e-9)))
        seed = factor_seed(root, "init")
        return PoolingNet(self.dim, self.filter_size, self.stride, depth, self.width, gain=self.gain, seed=seed)


def _first(value: int | tuple[int, ...]) -> tuple[int, int]:
    """The number of the first layer, and how many layers have one of their own: 0 where it is for all."""
    return (value[0], len(value)) if isinstance(value, tuple) and value else (cast(int, value), 0)
