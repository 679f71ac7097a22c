"""A small experiment, on nets of four channels trained for two epochs, made in about a second."""

from __future__ import annotations

from pathlib import Path

import scaledetect as sd
from scaledetect.experiments import ExperimentCard, load_experiment_card

TASK = sd.Task(size=16, xi=4, labelling="block")

TRAINING = """
[training]
n_train = 16
n_validation = 8
n_test = 16
max_epochs = 2
"""

TRACK = """track_every = 1
track_until = 2
track_draws = 100
track_seeds = 2
"""


def small_card(
    folder: Path, name: str = "small", regime: str = "trained", training: str = TRAINING + TRACK, nets: int = 3
) -> ExperimentCard:
    """Write the card into a folder, and read it."""
    width = "" if regime == "constant-filters" else "width = 4"
    published = "published = 2" if training else ""
    text = f"""
name = "{name}"
display_name = "Small"
version = 1
regime = "{regime}"
digest = "{TASK.digest(1000)}"
citation = "none"
[task]
size = 16
xi = 4
labelling = "block"
[net]
filter_size = 2
stride = 2
depth = 3
{width}
{training}
[seeds]
count = {nets}
{published}
[measurement]
draws = 200
noise = ["signed", "rectified_noise"]
share_draws = 100
"""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return load_experiment_card(str(path))
