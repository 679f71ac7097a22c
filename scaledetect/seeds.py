"""Seeds of a run: each derives from the one root by the name of what it is for."""

from __future__ import annotations

from scaledetect.stream import check_seed, seed_key

__all__ = ["derived_seed"]


def derived_seed(seed: int, factor: str, *, bits: int = 64) -> int:
    """A seed of `bits` bits that belongs to the root `seed` and the factor: a hash of both, never a sum.

    Parameters
    ----------
    seed : int
        Root of a study, 0 to 2^64 - 1.
    factor : str
        What the seed is for, as "data" or "fit".
    bits : int, default 64
        1 to 64; other libraries take 32.

    Returns
    -------
    int
        From 0 to 2^bits - 1.

    Examples
    --------
    >>> derived_seed(0, "data") == derived_seed(0, "fit")
    False
    """
    return int.from_bytes(seed_key(check_seed(seed), f"run/{factor}")[:8], "little") >> (64 - bits)
