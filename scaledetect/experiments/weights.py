"""Published weights: nets in half precision, many seeds in one .npz file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from scaledetect._base.errors import bad_value
from scaledetect._base.files import replacing
from scaledetect.nets import NetSpec, PoolingNet

__all__ = ["half_precision", "load_weights", "save_weights"]


def half_precision(net: nn.Module) -> nn.Module:
    """`net` with its parameters rounded to float16, in place; they stay float32.

    Trained nets are measured after this, so that the published weights are those that were measured.
    """
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.half().to(parameter.dtype))
    return net


def save_weights(path: Path, nets: Mapping[int, nn.Module]) -> None:
    """Write the parameters of nets, by seed, as float16."""
    arrays = {
        f"{seed}/{name}": tensor.detach().cpu().half().numpy()
        for seed, net in nets.items()
        for name, tensor in net.state_dict().items()
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_weights(path: Path, spec: NetSpec, seeds: Iterable[int]) -> dict[int, PoolingNet]:
    """The nets of these seeds, in eval mode.

    Raises
    ------
    ValueError
        When the file cannot be read, or has no such seed or parameter.
    """
    found: dict[int, PoolingNet] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for seed in seeds:
                net = cast(PoolingNet, spec.build())
                state = {name: torch.from_numpy(file[f"{seed}/{name}"]).float() for name in net.state_dict()}
                net.load_state_dict(state)
                found[seed] = net.eval()
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError) as error:
        raise bad_value("path", str(path), f"is no file of the weights asked for ({error})") from error
    return found
