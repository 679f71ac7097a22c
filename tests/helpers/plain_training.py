"""The paper's training as anyone would write it in PyTorch: one net, autograd, `torch.optim.SGD`; knows no trainer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def train_plainly(
    net: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    orders: Iterable[NDArray[np.int64]],
    *,
    batch_size: int,
    lr: float | Sequence[float],
    ridge: float = 0.0,
) -> list[float]:
    """Steps over `orders`, one an epoch; mean hinge loss of each epoch, every batch before its step.

    `ridge` multiplies the sum of the squares of all convolution weights.
    """
    losses = []
    orders = list(orders)
    rates = [lr] * len(orders) if isinstance(lr, float) else list(lr)
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Conv3d)]
    for order, rate in zip(orders, rates, strict=True):
        optimizer = torch.optim.SGD(net.parameters(), lr=rate)
        total = 0.0
        for first in range(0, len(order), batch_size):
            batch = torch.as_tensor(order[first : first + batch_size])
            loss = torch.relu(1 - labels[batch] * net(images[batch])[:, 0]).mean()
            penalty = ridge * sum((conv.weight**2).sum() for conv in convolutions)
            optimizer.zero_grad()
            (loss + penalty).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(order))
    return losses
