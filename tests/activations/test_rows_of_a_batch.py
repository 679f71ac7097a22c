"""How many rows a batch has, by the bytes of a row of the images and of the layers."""

from __future__ import annotations

import pytest
import torch

from scaledetect.activations.net_input import rows_for

MB = 2**20


@pytest.mark.parametrize(
    ("layer", "rows"),
    [
        # Small layers: as many as fill 8 MB; at least 64 up to 16 MB; at least 24 beyond.
        (2**13, 1024),
        (2**17, 64),
        (2**18, 64),
        (2**19, 32),
        (2**20, 24),
        (2**22, 24),
        # And all layers of a batch within half a gigabyte; an even number, 2 at least.
        (2**25, 14),
        (2**29, 2),
    ],
)
def test_rows_on_a_cpu_follow_the_largest_layer(layer: int, rows: int) -> None:
    assert rows_for(0, [layer, 4], torch.device("cpu")) == rows
    assert rows_for(layer, [4], torch.device("cpu")) == rows


def test_an_accelerator_takes_what_fits() -> None:
    assert rows_for(0, [MB, MB], torch.device("meta")) == 4 * 256
    assert rows_for(MB, [MB, 2 * MB], torch.device("meta")) == 4 * 128
