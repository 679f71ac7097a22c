"""Stream version 1 in plain Python, written from docs/data-spec.md alone: obviously right rather than fast.

It imports nothing of the package, so that the two can be held together bit for bit. `list_pairs` is another oracle
still: it finds the population by looking at every pair of sites, without any of the formulas.
"""

from __future__ import annotations

from naive.population import Pair, Site, Spec, label, list_pairs
from naive.ranks import class_sizes, unrank
from naive.samples import (
    background,
    class_and_index,
    digest,
    move_site,
    move_table,
    normals,
    sample,
    shift,
    values_of_index,
)
from naive.sensitivities import population_sensitivities, without_interaction
from naive.words import key, key_text, permute, philox_block

__all__ = [
    "Pair", "Site", "Spec", "background", "class_and_index", "class_sizes", "digest", "key", "key_text", "label",
    "list_pairs", "move_site", "move_table", "normals", "permute", "philox_block", "population_sensitivities", "sample",
    "shift", "unrank", "values_of_index", "without_interaction",
]  # fmt: skip
