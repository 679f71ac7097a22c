"""``scaledetect measure``: the measured sensitivities."""

from __future__ import annotations

from scaledetect.cli.options import (
    AsJson,
    CardName,
    Depth,
    Draws,
    FilterSize,
    Match,
    Mode,
    Seed,
    Sigma,
    Stride,
    nets_of,
    noise_of,
    print_json,
)


def measure(
    card: CardName,
    filter_size: FilterSize = None,
    stride: Stride = None,
    depth: Depth = None,
    n: Draws = 10_000,
    noise: Mode = "signed",
    match: Match = "ensemble",
    sigma: Sigma = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Measured D, G, R of constant-filter nets on a task; default: the nets of the card."""
    from scaledetect.cards import load_card
    from scaledetect.cli.tables import print_sensitivities, progress
    from scaledetect.nets import ConstantFilterNet
    from scaledetect.sensitivity import sensitivities

    loaded = load_card(card)
    kind = noise_of(noise, match, sigma)
    first = loaded.seeds.study[0] if seed is None else seed
    nets = nets_of(loaded, filter_size, stride, depth)
    seen = {}
    with progress("measuring", len(nets)) as advance:
        for net in nets:
            module = ConstantFilterNet(loaded.task.dim, **net.model_dump())
            seen[net.label] = sensitivities(module, loaded.task, n, noise=kind, seed=first)
            advance(net.label)
    if as_json:
        print_json({label: s.to_dict() for label, s in seen.items()})
    else:
        print_sensitivities(f"{loaded.display_name}: measured, {noise} noise, n = {n}", seen)
