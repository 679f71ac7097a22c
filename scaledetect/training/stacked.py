"""Many pooling nets of one shape, trained in one computation: a batch of matrices a layer, gradients by hand.

Plain stochastic gradient descent needs no gradient in memory: it is added to the weights as it is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from scaledetect.nets import PoolingNet
from scaledetect.training.patches import Windows

__all__ = ["StackedPoolingNets"]

ROOM = 6 * 2**20
"""Bytes of windows gathered at a time on a CPU: they are in its caches still when they are multiplied."""


class StackedPoolingNets:
    """M pooling nets with the same numbers and weights of their own.

    Notes
    -----
    ReLU commutes with positive factors, so activations are kept without the gain; the next layer multiplies by it.

    Parameters
    ----------
    nets : sequence of PoolingNet
        Built with the same options; their weights are copied.
    size : int
        Side L of the images.
    """

    def __init__(self, nets: Sequence[PoolingNet], size: int, *, dtype: torch.dtype, device: torch.device) -> None:
        self._like = nets[0].options
        self.width = nets[0].width
        layers = nets[0].layers
        gains = [1.0, *(layer.gain for layer in layers)]
        self._factors = [gain * layer.scale for gain, layer in zip(gains[:-1], layers, strict=True)]
        self._last_factor = gains[-1] / self.width
        pooling = nets[0].pooling
        sizes = (size, *pooling.sizes(size)[:-1])
        shapes = zip(sizes, pooling.filter_size, pooling.stride, strict=True)
        self._windows = [Windows(nets[0].dim, *shape, device) for shape in shapes]

        def stack(name: str) -> Tensor:
            return torch.stack([net.get_parameter(name).detach() for net in nets]).to(device, dtype)

        names = nets[0].sensitivity_layers
        self.weights = [_as_matrices(stack(f"{name}.conv.weight")) for name in names]
        self.biases = [stack(f"{name}.conv.bias")[:, None] for name in names]
        self.beta, self.bias = stack("readout.weight")[:, 0], stack("readout.bias")[:, 0]
        # Used again and again: memory fresh from the system costs three times the copying.
        self._memory = self.bias.new_empty(0)

    def __len__(self) -> int:
        return len(self.bias)

    def parameters(self) -> list[Tensor]:
        """All tensors that training moves; the first axis counts the nets."""
        return [*self.weights, *self.biases, self.beta, self.bias]

    def keep(self, members: Sequence[int]) -> None:
        """Drop all nets but those at the given places."""
        places = torch.as_tensor(members, device=self.bias.device)
        self.load([tensor[places] for tensor in self.parameters()])

    def load(self, parameters: Sequence[Tensor]) -> None:
        """Take over tensors in the order of `parameters`."""
        depth = len(self.weights)
        self.weights, self.biases = list(parameters[:depth]), list(parameters[depth : 2 * depth])
        self.beta, self.bias = parameters[2 * depth :]

    def net(self, member: int) -> PoolingNet:
        """One of the nets, with a copy of its weights."""
        net = PoolingNet(**self._like).to(self.bias.dtype)
        with torch.no_grad():
            for layer, weight, bias in zip(net.layers, self.weights, self.biases, strict=True):
                layer.conv.weight.copy_(_as_filters(weight[member], layer.conv.weight))
                layer.conv.get_parameter("bias").copy_(bias[member, 0])
            net.readout.weight.copy_(self.beta[member])
            net.readout.bias.copy_(self.bias[member])
        return net

    def outputs(self, images: Tensor) -> Tensor:
        """Outputs f of shape (M, n) for images of shape (M, n, 1, L, ...): those of each net are its own."""
        maps = _channels_last(images)
        for k in range(len(self.weights)):
            maps = self._layer(k, maps)
        return self._readout(maps.flatten(2, -2).mean(2))

    def step(self, images: Tensor, labels: Tensor, lr: float, *, decay: float = 0.0) -> Tensor:
        """One step on the mean hinge loss of a batch; convolution weights also shrink by 1 - `decay`.

        Parameters
        ----------
        images : tensor, shape (M, B, 1, L, ...)
        labels : tensor, shape (M, B)
            -1 or +1.
        lr : float
            Learning rate, the width included.

        Returns
        -------
        tensor, shape (M,)
            The loss, summed over the batch, before the step.
        """
        kept = [_channels_last(images)]
        for k in range(len(self.weights)):
            kept.append(self._layer(k, kept[k]))
        pooled = kept[-1].flatten(2, -2).mean(2)
        margins = 1 - labels * self._readout(pooled)
        slopes = torch.where(margins > 0, labels, torch.zeros_like(labels)) / -labels.shape[1]
        # A margin that is not a number has to reach the weights: the run is then marked as diverged.
        slopes = torch.where(margins.isnan(), margins, slopes)
        gradient = self._step_readout(pooled, slopes, lr, self._windows[-1].n_windows)
        gradient = gradient[:, :, None].expand(-1, -1, self._windows[-1].n_windows, -1)
        for k in reversed(range(len(self.weights))):
            gradient = self._step_layer(k, kept[k], kept[k + 1], gradient, lr, decay)
        return margins.clamp_min(0).sum(1)

    def _layer(self, k: int, maps: Tensor) -> Tensor:
        """The map of layer k after ReLU, without the gain."""
        windows = self._windows[k]
        shape = (*maps.shape[:2], *(windows.out_size,) * windows.dim, self.width)
        flat = maps.new_empty(len(maps), maps.shape[1] * windows.n_windows, self.width)
        for part, rows in self._parts(k, maps):
            weights, biases = self.weights[k][part], self.biases[k][part]
            torch.baddbmm(biases, rows, weights, alpha=self._factors[k], out=flat[part]).relu_()
        return flat.view(shape)

    def _parts(self, k: int, maps: Tensor, *, mirrored: bool = False) -> Iterator[tuple[slice, Tensor]]:
        """The windows of layer k as rows, of a few nets at a time, in memory that the next ones overwrite."""
        windows = self._windows[k]
        if windows.in_place:
            yield slice(None), windows.rows(maps)
            return
        gather = windows.mirrored_rows if mirrored else windows.rows
        members, one = len(maps), windows.numbers(maps[:1])
        if maps.device.type == "cpu":
            # One for each thread at least.
            members = min(members, max(torch.get_num_threads(), ROOM // (one * maps.element_size())))
        if self._memory.numel() < members * one:
            self._memory = maps.new_empty(members * one)
        for first in range(0, len(maps), members):
            part = slice(first, first + members)
            yield part, gather(maps[part], out=self._memory)

    def _readout(self, pooled: Tensor) -> Tensor:
        product = torch.baddbmm(self.bias[:, None, None], pooled, self.beta[:, :, None], alpha=self._last_factor)
        return product[..., 0]

    def _step_readout(self, pooled: Tensor, slopes: Tensor, lr: float, n_sites: int) -> Tensor:
        """Step of the readout; returns the derivative of the loss by the last map, (M, B, H), the same at all sites."""
        gradient = (slopes[:, :, None] * self.beta[:, None]).mul_(self._last_factor / n_sites)
        self.beta.sub_(torch.bmm(slopes[:, None], pooled)[:, 0], alpha=lr * self._last_factor)
        self.bias.sub_(slopes.sum(1), alpha=lr)
        return gradient

    def _step_layer(self, k: int, before: Tensor, after: Tensor, gradient: Tensor, lr: float, decay: float) -> Tensor:
        """Step of layer k, given the derivative of the loss by the map after it; returns that by the map before."""
        flat = after.view(len(self), -1, self.width)
        by_sum = torch.ops.aten.threshold_backward(gradient.reshape(flat.shape), flat, 0)
        weight = self.weights[k]
        by_input = self._by_input(k, by_sum).mul_(self._factors[k]) if k else gradient
        for part, rows in self._parts(k, before):
            step = -lr * self._factors[k]
            weight[part].baddbmm_(rows.transpose(1, 2), by_sum[part], beta=1 - decay, alpha=step)
        self.biases[k].sub_(by_sum.sum(1, keepdim=True), alpha=lr)
        return by_input

    def _by_input(self, k: int, by_sum: Tensor) -> Tensor:
        """Derivative by the input of layer k, but for a factor, from that by its sums of shape (M, n sites, H)."""
        windows, weight = self._windows[k], self.weights[k]
        if windows.stride > 1:
            return windows.adjoint(torch.bmm(by_sum, weight.transpose(1, 2)))
        shape = (len(self), -1, *(windows.size,) * windows.dim)
        # (M, F^d C, H) to (M, F^d H, C), the sites of the filter in reverse.
        filters = weight.view(len(self), windows.filter_size**windows.dim, -1, self.width)
        turned = filters.flip(1).transpose(2, 3).flatten(1, 2)
        product = by_sum.new_empty(*by_sum.shape[:2], turned.shape[-1])
        for part, rows in self._parts(k, by_sum.view(*shape, self.width), mirrored=True):
            torch.bmm(rows, turned[part], out=product[part])
        return product.view(*shape, turned.shape[-1])


def _channels_last(images: Tensor) -> Tensor:
    return images.movedim(2, -1)


def _as_matrices(filters: Tensor) -> Tensor:
    """(M, H, C, F, ...) as (M, F^d C, H), the order of the rows of `Windows`."""
    return filters.flatten(3).permute(0, 3, 2, 1).flatten(1, 2).contiguous()


def _as_filters(matrix: Tensor, like: Tensor) -> Tensor:
    """The reverse of `_as_matrices` for one net."""
    width, channels = like.shape[:2]
    return matrix.view(-1, channels, width).permute(2, 1, 0).reshape(like.shape)
