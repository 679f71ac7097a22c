"""Training engines: many pooling nets in one computation, or one net of any kind with torch's gradients."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from scaledetect._base.array_types import FloatArray
from scaledetect.nets import PoolingNet
from scaledetect.training.config import TrainConfig
from scaledetect.training.data import Rows
from scaledetect.training.stacked import StackedPoolingNets

__all__ = ["Engine", "LoopEngine", "StackedEngine", "make_optimizer"]

IntArray = NDArray[np.int64]

EVALUATION_BYTES = 2**26
"""Memory of the widest activations when outputs are computed."""


class Engine(Protocol):
    """M nets that are trained together."""

    def epoch(self, rows: Rows, order: IntArray, seed: int, factor: float) -> FloatArray:
        """All batches of `rows` in the order given, shape (M, n); mean loss before each step, shape (M,).

        `factor` multiplies the learning rate, and `seed` decides what the nets draw themselves. A member whose weights
        or loss are not finite has loss NaN.
        """

    def outputs(self, images: Tensor) -> Tensor:
        """Outputs in eval mode, shape (M, n, outputs), of images of shape (M, n, 1, L, ...)."""

    def keep(self, members: Sequence[int]) -> None:
        """Drop all members but those at the given places."""

    def net(self, member: int) -> nn.Module:
        """A copy of one net as it is now."""

    def state(self) -> dict[str, Any]:
        """All that training goes on from: tensors and plain data."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""


class StackedEngine:
    """Pooling nets, hinge loss and plain descent: one computation for all members."""

    def __init__(self, nets: Sequence[PoolingNet], size: int, config: TrainConfig, device: torch.device) -> None:
        self._nets = StackedPoolingNets(nets, size, dtype=getattr(torch, config.dtype), device=device)
        self._batch_size = config.batch_size
        self._lr = config.lr * nets[0].width
        # The gradient of the ridge is 2 ridge w / (H K), and the step lr H times that.
        self._decay = 2 * config.ridge * config.lr / nets[0].pooling.depth
        self._image_bytes = _widest(nets[0], size) * self._nets.bias.element_size()

    def epoch(self, rows: Rows, order: IntArray, seed: int, factor: float) -> FloatArray:
        del seed  # these nets draw nothing
        device = rows.labels.device
        places, members = torch.from_numpy(order).to(device), torch.arange(len(self._nets), device=device)[:, None]
        total = rows.labels.new_zeros(len(self._nets))
        for batch in torch.split(places, self._batch_size, dim=1):
            loss = self._nets.step(
                rows.images[members, batch], rows.labels[members, batch], self._lr * factor, decay=self._decay * factor
            )
            total += loss
        finite = torch.stack(
            [tensor.reshape(len(tensor), -1).isfinite().all(1) for tensor in self._nets.parameters()]
        ).all(0)
        mean = (total / order.shape[1]).double().cpu().numpy()
        return np.where(finite.cpu().numpy() & np.isfinite(mean), mean, np.nan)

    def outputs(self, images: Tensor) -> Tensor:
        step = max(1, EVALUATION_BYTES // (len(self._nets) * self._image_bytes))
        return torch.cat([self._nets.outputs(part) for part in torch.split(images, step, dim=1)], dim=1)[..., None]

    def keep(self, members: Sequence[int]) -> None:
        self._nets.keep(members)

    def net(self, member: int) -> nn.Module:
        return self._nets.net(member)

    def state(self) -> dict[str, Any]:
        return {"parameters": self._nets.parameters()}

    def load_state(self, state: dict[str, Any]) -> None:
        device, parameters = self._nets.bias.device, state["parameters"]
        if [(t.shape, t.dtype) for t in parameters] != [(t.shape, t.dtype) for t in self._nets.parameters()]:
            raise ValueError("the parameters have other shapes or another type")
        self._nets.load([tensor.to(device) for tensor in parameters])


class LoopEngine:
    """One net of any kind, by torch's own gradients and optimisers."""

    def __init__(self, net: nn.Module, config: TrainConfig, device: torch.device) -> None:
        self._net = net.to(device, getattr(torch, config.dtype))
        self._config = config
        self._pooling = net if isinstance(net, PoolingNet) else None
        self._lr = config.lr * (net.width if isinstance(net, PoolingNet) and config.optimizer == "sgd" else 1)
        self._optimizer = make_optimizer(
            self._net, config.optimizer, self._lr, momentum=config.momentum, weight_decay=config.weight_decay
        )

    def epoch(self, rows: Rows, order: IntArray, seed: int, factor: float) -> FloatArray:
        images, labels = rows.images[0], rows.labels[0]
        for group in self._optimizer.param_groups:
            group["lr"] = self._lr * factor
        total = labels.new_zeros(())
        self._net.train()
        devices = [labels.device] if labels.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            # Dropout draws from torch's own generator: seeded epoch by epoch, it needs no place in a checkpoint.
            torch.manual_seed(seed)
            for batch in torch.split(torch.from_numpy(order[0]).to(labels.device), self._config.batch_size):
                loss = self._loss(self._net(images[batch]), labels[batch])
                self._optimizer.zero_grad()
                (loss + self._ridge()).backward()  # type: ignore[no-untyped-call]
                self._optimizer.step()
                total += loss.detach() * len(batch)
        mean = float(total) / order.shape[1]
        finite = all(bool(tensor.isfinite().all()) for tensor in self._net.state_dict().values())
        return np.array([mean if finite and np.isfinite(mean) else np.nan])

    def outputs(self, images: Tensor) -> Tensor:
        self._net.eval()
        with torch.no_grad():
            return torch.cat([self._net(part) for part in torch.split(images[0], 128)])[None]

    def keep(self, members: Sequence[int]) -> None:
        assert list(members) == [0]

    def net(self, member: int) -> nn.Module:
        return copy.deepcopy(self._net).eval()

    def state(self) -> dict[str, Any]:
        return {"net": self._net.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        self._net.load_state_dict(state["net"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _loss(self, output: Tensor, labels: Tensor) -> Tensor:
        if self._config.loss == "hinge":
            return (1 - labels * output[:, 0]).clamp_min(0).mean()
        return functional.cross_entropy(output, (labels > 0).long())

    def _ridge(self) -> Tensor | float:
        if self._pooling is None or not self._config.ridge:
            return 0.0
        net = self._pooling
        weights = [net.get_parameter(f"{name}.conv.weight") for name in net.sensitivity_layers]
        total: Tensor = sum(weight.square().sum() for weight in weights)  # type: ignore[assignment]
        return self._config.ridge / (net.width * net.pooling.depth) * total


def make_optimizer(
    net: nn.Module, kind: Literal["sgd", "adam"], lr: float, *, momentum: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Descent with momentum, or Adam; weight decay on matrices and filters only."""
    matrices = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if kind == "adam":
        return torch.optim.Adam(groups, lr=lr)
    return torch.optim.SGD(groups, lr=lr, momentum=momentum)


def _widest(net: PoolingNet, size: int) -> int:
    """Numbers in the largest matrix of windows, or map, of an image."""
    dim, pooling = net.dim, net.pooling
    channels = (1, *(net.width,) * (pooling.depth - 1))
    layers = zip(pooling.sizes(size), pooling.filter_size, channels, strict=True)
    return max(int(side**dim * max(filter_size**dim * c, net.width)) for side, filter_size, c in layers)
