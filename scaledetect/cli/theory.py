"""``scaledetect theory``: the exact sensitivities."""

from __future__ import annotations

from scaledetect.cli.options import (
    AsJson,
    CardName,
    Depth,
    FilterSize,
    Mode,
    Sigma,
    Stride,
    nets_of,
    noise_of,
    print_json,
)


def theory(
    card: CardName,
    filter_size: FilterSize = None,
    stride: Stride = None,
    depth: Depth = None,
    noise: Mode = "signed",
    sigma: Sigma = None,
    as_json: AsJson = False,
) -> None:
    """Exact D, G, R of constant-filter nets on a task; default: the nets of the card."""
    from scaledetect.cli.tables import print_sensitivities
    from scaledetect.task.cards import load_card
    from scaledetect.theory import sensitivities

    loaded = load_card(card)
    kind = noise_of(noise, sigma=sigma)
    nets = nets_of(loaded, filter_size, stride, depth)
    exact = {net.label: sensitivities(loaded.task, **net.model_dump(), noise=kind) for net in nets}
    if as_json:
        print_json({label: s.to_dict() for label, s in exact.items()})
    else:
        print_sensitivities(f"{loaded.display_name}: exact, {noise} noise", exact)
