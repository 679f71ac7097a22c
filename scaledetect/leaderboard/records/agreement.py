"""Agreement of two records of one run: to the last bit, in every decision, or within errors."""

from __future__ import annotations

import math
from typing import Literal, cast

from scaledetect.leaderboard.records.schema import Record, Scores

__all__ = ["MOST_ERRORS", "TOLERANCE", "Agreement", "agreement"]

Agreement = Literal["verified", "consistent", "differs"]

MOST_ERRORS = 4.0
"""Joint standard errors that two test errors of one run may be apart on different machines or versions."""

TOLERANCE = 0.01
"""Standard errors that D, G and R of one net may be apart: what the order of sums moves is a millionth of that."""

_DECISIONS = ("n_test", "n_wrong", "train_error", "validation_error", "served")
_MEASURED = ("D", "G", "R")


def agreement(stored: Record, again: Record, tolerance: float = TOLERANCE) -> tuple[Agreement, str]:
    """What a second record of a run says of the first, and why.

    Two nets that decide every image alike, and whose D, G and R are far nearer than their standard errors, are one net
    whose sums were taken in another order: *consistent*, on any machine. With other decisions records are consistent
    only where they come from different machines, versions or threads, or from machines that are not known to be alike.

    Parameters
    ----------
    stored, again : Record
        Of one run.
    tolerance : float
        Standard errors that D, G and R may be apart where all decisions are equal.

    Returns
    -------
    kind : {"verified", "consistent", "differs"}
    why : str
        Empty where the scores are equal to the last bit.
    """
    if again.status != stored.status:
        return "differs", f"its status is {stored.status!r}, that of a rerun {again.status!r} {again.reason}".rstrip()
    if again.scores == stored.scores:
        return "verified", ""
    # Of one status both have scores, or neither.
    mine, theirs = cast("tuple[Scores, Scores]", (stored.scores, again.scores))
    if stored.exact:
        return "differs", f"the entry is exact, and a rerun gives {_differences(mine, theirs)}"
    alike, apart = _decide_alike(mine, theirs), _errors_apart(mine, theirs)
    if alike and apart <= tolerance:
        return "consistent", f"equal decisions; D, G and R at most {apart:.1g} of their standard errors apart"
    elsewhere = stored.environment.differences(again.environment)
    if not elsewhere and stored.environment.says_all:
        return "differs", f"on the same processor, versions and threads a rerun gives {_differences(mine, theirs)}"
    if alike and apart > MOST_ERRORS:
        return "differs", f"equal decisions, but a rerun gives {_differences(mine, theirs)}"
    z = _joint_errors(mine, theirs)
    text = f"test_error {mine.test_error:.4f}, in a rerun {theirs.test_error:.4f}: {z:.1f} joint errors"
    kind: Agreement = "differs" if z > MOST_ERRORS else "consistent"
    where = "; ".join(elsewhere) or "neither names its instruction sets"
    return kind, text if kind == "differs" else f"{text}; elsewhere: {where}"


def _decide_alike(a: Scores, b: Scores) -> bool:
    return all(getattr(a, name) == getattr(b, name) for name in _DECISIONS)


def _errors_apart(a: Scores, b: Scores) -> float:
    """The largest distance among D, G, R and their standard errors, in standard errors; infinite where one is None."""
    return max(_apart(a, b, f"{name}{end}", f"{name}_stderr") for name in _MEASURED for end in ("", "_stderr"))


def _apart(a: Scores, b: Scores, name: str, error: str) -> float:
    mine, theirs = getattr(a, name), getattr(b, name)
    if mine == theirs:
        return 0.0
    unit = max(getattr(a, error) or 0.0, getattr(b, error) or 0.0)
    return math.inf if mine is None or theirs is None or not unit else abs(mine - theirs) / unit


def _joint_errors(a: Scores, b: Scores) -> float:
    """Distance of two test errors in joint standard errors, which are not 0 for an error of 0 or 1."""

    def variance(s: Scores) -> float:
        share = (s.n_wrong + 1) / (s.n_test + 2)
        return share * (1 - share) / s.n_test

    return abs(a.test_error - b.test_error) / math.sqrt(variance(a) + variance(b))


def _differences(stored: Scores, again: Scores) -> str:
    mine, theirs = stored.model_dump(), again.model_dump()
    changed = [name for name in mine if mine[name] != theirs[name]]
    return ", ".join(f"{name} {theirs[name]} in place of {mine[name]}" for name in changed)
