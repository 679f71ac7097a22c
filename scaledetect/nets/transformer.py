"""A transformer encoder with learnt positions: tokens are pixels or patches of the image, read out at a class token."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scaledetect._base.arguments import at_least_one, integer
from scaledetect._base.errors import bad_value
from scaledetect.nets.initialisation import seeded

__all__ = ["Transformer"]

MOST_TOKENS = 2**14
"""Tokens of an image: attention of all to all takes a gigabyte in float32."""

FIRST_SPREAD = 0.02
"""Standard deviation of positions and patch weights at the start, as in vision transformers.

Training then moves them by much of their size within a few steps; of spread 1 they stay nearly what they were drawn as,
and the net learns its training rows by heart.
"""


class Transformer(nn.Module):
    """Attention between patches, each with a position of its own: no locality, and no shift is built in.

    An image is divided by its norm and cut into patches, ``patch`` pixels a side; a token is a linear map of its pixels
    plus a learnt position. In each block (layer norm first) tokens attend to one another and to a class token, a patch
    in proportion to its share of the energy |x|^2: its logarithm is added to what softmax takes, so that an empty patch
    has no weight, as padding has none in models of language, and a faint one little. The class token gives the output.

    Parameters
    ----------
    size : int
        Side L of the images, in pixels.
    dim : {1, 2, 3}, default 1
        Spatial dimensions.
    patch : int, default 1
        Side of a patch, in pixels, a divisor of `size`.
    depth : int, default 2
        Number of blocks.
    width : int, default 64
        Numbers of a token, a multiple of `heads`.
    heads : int, default 4
        Heads of each attention.
    axial : bool, default False
        Whether the position of a patch is the sum of one vector of its row, one of its column, ...: ``dim`` times as
        many vectors as patches a side, each seen in many more images, in place of one vector a patch.
    n_classes : int, default 1
        Outputs; two for the cross-entropy.
    seed : int, default 0
        Decides the weights, from 0 to 2^64 - 1; the global random state is not touched.

    Attributes
    ----------
    sensitivity_layers : tuple of str
        class_token, after the last block and layer norm, and output.

    Raises
    ------
    TypeError, ValueError
        Naming the argument that is out of range; in `forward`, for images of another shape.

    Notes
    -----
    Dosovitskiy et al., arXiv 2010.11929; the weight of a patch by its energy is ours. Without it the two active pixels
    of an image are two among L^d nearly equal tokens, and designs that we tried stayed at chance.

    Satisfied: a positive factor on the image does not change the output, nor does it matter with which other images one
    is computed.

    Examples
    --------
    >>> import torch
    >>> net = Transformer(size=16, dim=2, patch=4, width=16)
    >>> net(torch.ones(5, 1, 16, 16)).shape, net.sensitivity_layers
    (torch.Size([5, 1]), ('class_token', 'output'))
    """

    def __init__(
        self,
        size: int,
        *,
        dim: int = 1,
        patch: int = 1,
        depth: int = 2,
        width: int = 64,
        heads: int = 4,
        axial: bool = False,
        n_classes: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.dim, self.size = integer("dim", dim, 1, 3, kind="1, 2 or 3"), at_least_one("size", size)
        self.patch, heads = at_least_one("patch", patch), at_least_one("heads", heads)
        depth, width = at_least_one("depth", depth), at_least_one("width", width)
        if self.size % self.patch:
            raise bad_value("patch", patch, f"must divide the size {self.size}")
        if width % heads:
            raise bad_value("width", width, f"must be a multiple of the {heads} heads")
        tokens = (self.size // self.patch) ** self.dim
        if tokens > MOST_TOKENS:
            raise bad_value("size", size, f"makes {tokens} tokens, above {MOST_TOKENS}", "take larger patches")
        with seeded(seed):
            shape = (self.dim, self.size // self.patch) if axial else (1, tokens)
            self.positions = nn.Parameter(FIRST_SPREAD * torch.randn(*shape, width))
            self.class_position = nn.Parameter(FIRST_SPREAD * torch.randn(width))
            self.embedding = nn.Linear(self.patch**self.dim, width, bias=False)
            nn.init.normal_(self.embedding.weight, std=FIRST_SPREAD)
            self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(depth))
            self.class_token = nn.LayerNorm(width)
            self.output = nn.Linear(width, at_least_one("n_classes", n_classes))
        self.sensitivity_layers = ("class_token", "output")

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, n_classes), of images `x`, shape (n, 1, L) with L once per dimension."""
        if x.shape[1:] != (1, *[self.size] * self.dim):
            shape = ", ".join([str(self.size)] * self.dim)
            raise bad_value("x", tuple(x.shape), f"the net takes images of shape (n, 1, {shape})")
        patches = self._patches(x)
        energy = patches.square().sum(2)
        total = energy.sum(1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
        # Empty patches have no weight whatever they hold: only the largest number of lit ones in an image is computed.
        most = int((energy > 0).sum(1).max()) if len(x) else 0
        share, places = (energy / total).topk(most, dim=1)
        lit = patches.take_along_dim(places[..., None], dim=1) / total.sqrt()[..., None]
        tokens = torch.cat(
            [self.class_position.expand(len(x), 1, -1), self.embedding(lit) + self._positions_of(places)], dim=1
        )
        weight = functional.pad(share, (1, 0), value=1.0).log()[:, None, None, :]
        for block in self.blocks:
            tokens = block(tokens, weight)
        output: Tensor = self.output(self.class_token(tokens[:, 0]))
        return output

    def _positions_of(self, places: Tensor) -> Tensor:
        """Vectors of patches counted in row-major order: the sum over axes, or over the one axis of all patches."""
        axes, side, _ = self.positions.shape
        vectors = [self.positions[axis, places // side ** (axes - 1 - axis) % side] for axis in range(axes)]
        return torch.stack(vectors).sum(0)

    def _patches(self, x: Tensor) -> Tensor:
        """Shape (n, tokens, pixels of a patch), patches in row-major order, and the pixels of each too."""
        count = self.size // self.patch
        cut = x.reshape(len(x), *[count, self.patch] * self.dim)
        axes = [1 + 2 * axis + inside for inside in (0, 1) for axis in range(self.dim)]
        return cut.permute(0, *axes).reshape(len(x), count**self.dim, self.patch**self.dim)


class _Block(nn.Module):
    """Attention, then two linear layers with GELU token by token; layer norm before, and the input added after each."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.token_wise = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor, weight: Tensor) -> Tensor:
        """Tokens of shape (n, tokens, width); `weight` is the logarithm of what each counts, (n, 1, 1, tokens)."""
        split = self.query_key_value(self.attention_norm(tokens)).unflatten(2, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=weight)
        tokens = tokens + self.mix(attended.transpose(1, 2).flatten(2))
        added: Tensor = tokens + self.token_wise(self.norm(tokens))
        return added
