"""Frozen results of statistics over seeds: a number with its interval, and a fitted exponent with its own."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ExponentFit", "Interval"]


@dataclass(frozen=True)
class Interval:
    """A number estimated from several seeds, with a bootstrap interval.

    Attributes
    ----------
    value : float
    low, high : float
        Ends of the interval; NaN with a single seed, which says nothing about others.
    level : float
        Its nominal coverage.
    n_seeds : int
    """

    value: float
    low: float
    high: float
    level: float
    n_seeds: int

    def excludes(self, number: float) -> bool:
        """Whether `number` lies outside the interval; False where there is no interval."""
        return number < self.low or number > self.high


@dataclass(frozen=True)
class ExponentFit:
    """The power of A that curves of several seeds follow, with a bootstrap interval over seeds.

    Attributes
    ----------
    exponent : float
        Mean over seeds of the slopes of log values against log A.
    low, high : float
        Ends of the interval; NaN with a single seed.
    level : float
        Its nominal coverage.
    n_seeds : int
    layers : tuple of int
        Numbers of the layers that were used, counted from 1.
    """

    exponent: float
    low: float
    high: float
    level: float
    n_seeds: int
    layers: tuple[int, ...]
