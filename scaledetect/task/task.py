"""The scale-detection task: what an image is, and when it is near or far."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scaledetect._base.arguments import finite, flag, integer, intensity, not_negative, one_of
from scaledetect._base.errors import bad_type, bad_value
from scaledetect._base.tables import html_facts
from scaledetect.task.population import MAX_CLASS_SIZE, Population, class_sizes

__all__ = [
    "Amplitude",
    "Balance",
    "Labelling",
    "Norm",
    "Task",
    "check_task",
]


Labelling = Literal["distance", "block"]
Norm = Literal["l1", "l2", "linf"]
Balance = Literal["equal", "natural"]
Amplitude = Literal["norm", "mean"] | float


@dataclass(frozen=True, kw_only=True)
class Task:
    """The scale-detection task: two active pixels; is their distance below or above a scale?

    A task is a value: frozen, hashable, equal when every field is equal, and changed with
    `dataclasses.replace`. Fields without a meaning for the population are put in canonical form, so that tasks that
    are the same compare equal: `norm` in one dimension (all norms agree there), `norm` and `periodic` for
    ``labelling="block"``.

    Parameters
    ----------
    dim : {1, 2, 3}, default 1
        Spatial dimensions d.
    size : int
        Side L of the image, pixels, at least 3; the image has N = L^d sites.
    xi : int or half-integer
        Characteristic scale, pixels, with xi - gap/2 > 1. For blocks an integer below `size`: the side of a block.
    gap : int or half-integer, default 0
        Full width of the excluded band around xi, pixels: near is dist < xi - gap/2, far is dist >= xi + gap/2.
        Must be 0 for blocks.
    labelling : {"distance", "block"}, default "distance"
        ``"distance"`` (task 1 of the paper) compares the distance of the two pixels with xi; ``"block"`` (task 2) asks
        whether both lie in one block of side xi (the last block of an axis is smaller where xi does not divide L).
    norm : {"l2", "l1", "linf"}, default "l2"
        Distance between the pixels, in pixels.
    periodic : bool, default True
        Take the shorter way round on each axis.
    amplitude : {"norm", "mean"} or float, default "norm"
        Value a of an active pixel: ``"norm"`` is sqrt(N/2), so that |x|^2 = N; ``"mean"`` is N/2, so that the mean
        pixel is 1; or a number from 1e-50 to 1e50.
    balance : {"equal", "natural"}, default "equal"
        Classes alternate, or are spread as often as the population has them.
    background_noise : float, default 0
        Standard deviation of Gaussian noise added to every pixel: 0, or from 1e-50 to 1e50.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, when it is out of range, a class is empty, or a class has more than 2^63 - 1 pairs.

    Notes
    -----
    Tomasini, Petrini, Cagnetta, Wyart, arXiv 2210.01506, section 4. Distances are compared in integers, exactly. We
    depart from the published code where it is at odds with itself: see the presets `paper_1d` and `paper_2d`.

    Examples
    --------
    >>> from scaledetect import Task
    >>> task = Task(dim=1, size=64, xi=16)
    >>> task.n_near, task.n_far
    (960, 1056)
    """

    dim: int = 1
    size: int
    xi: int | float
    gap: int | float = 0
    labelling: Labelling = "distance"
    norm: Norm = "l2"
    periodic: bool = True
    amplitude: Amplitude = "norm"
    balance: Balance = "equal"
    background_noise: float = 0.0

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("dim", integer("dim", self.dim))
        put("size", integer("size", self.size))
        put("xi", _half_integer("xi", self.xi))
        put("gap", _half_integer("gap", self.gap))
        put("amplitude", _amplitude(self.amplitude))
        noise = not_negative("background_noise", self.background_noise)
        put("background_noise", noise and intensity("background_noise", noise))
        put("periodic", flag("periodic", self.periodic))
        one_of("labelling", self.labelling, ("distance", "block"))
        one_of("norm", self.norm, ("l1", "l2", "linf"))
        one_of("balance", self.balance, ("equal", "natural"))
        self._check_geometry()
        if self.labelling == "block":
            put("periodic", True)
        if self.labelling == "block" or self.dim == 1:
            put("norm", "l2")
        self._check_population()

    def _repr_html_(self) -> str:
        """Fields and sizes of the population, as a notebook shows them."""
        facts = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return html_facts("Task", {**facts, "near pairs": f"{self.n_near:,}", "far pairs": f"{self.n_far:,}"})

    # ------------------------------------------------------------------ geometry

    @property
    def n_sites(self) -> int:
        """N = L^d, the number of pixels of an image."""
        return int(self.size**self.dim)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image without its channel axis: (L,), (L, L) or (L, L, L)."""
        return (self.size,) * self.dim

    @property
    def pixel_value(self) -> float:
        """The number a behind `amplitude`: the value of an active pixel."""
        if self.amplitude == "norm":
            return math.sqrt(self.n_sites / 2)
        if self.amplitude == "mean":
            return self.n_sites / 2
        return float(self.amplitude)

    @property
    def near_threshold(self) -> int:
        """4 xi - 2 gap: near iff 4 dist (or 16 dist^2 against the square) is below it."""
        return int(4 * self.xi - 2 * self.gap)

    @property
    def far_threshold(self) -> int:
        """4 xi + 2 gap: far iff 4 dist (or 16 dist^2 against the square) reaches it."""
        return int(4 * self.xi + 2 * self.gap)

    # ------------------------------------------------------------------ population

    @property
    def population(self) -> Population:
        """The numbers that decide which pairs there are."""
        return Population(
            self.dim, self.size, self.near_threshold, self.far_threshold, self.labelling, self.norm, self.periodic
        )

    @property
    def n_near(self) -> int:
        """Number of unordered near pairs, exact."""
        return class_sizes(self.population)[0]

    @property
    def n_far(self) -> int:
        """Number of unordered far pairs, exact."""
        return class_sizes(self.population)[1]

    def digest(self, n: int = 1000, *, seed: int = 0) -> str:
        """SHA-256 (hex) of the first samples: what a card records to pin the data.

        Parameters
        ----------
        n : int, default 1000
            Length of the prefix; a population with fewer samples is taken whole.
        seed : int, default 0
            Seed of the stream.

        Returns
        -------
        str
            64 hexadecimal digits, of the positions as little-endian int64, row-major, followed by the labels as int8.
            `amplitude` and `background_noise` do not enter: they are no part of the population.
        """
        from scaledetect.sampling.samplers import data_digest

        return data_digest(self, n, seed=seed)

    # ------------------------------------------------------------------ presets

    @classmethod
    def paper_1d(cls, *, size: int, xi: float, g: float = 0, labelling: Labelling = "distance") -> Task:
        """The paper's one-dimensional task: periodic, |x|^2 = N, and a band of width `g` on *each* side of xi.

        The published code lets pixels that meet overwrite each other, and clips shifts at the border although its
        labels are periodic; here they add up, and shifts wrap.
        """
        return cls(dim=1, size=size, xi=xi, gap=2 * g, labelling=labelling, amplitude="norm", periodic=True)

    @classmethod
    def paper_2d(cls, *, size: int = 28, xi: float = 14, g: float = 2, labelling: Labelling = "distance") -> Task:
        """The paper's two-dimensional task: Euclidean, open borders, mean pixel 1, a band of full width `g`.

        The published code never activates a pixel of the diagonal i == j; here every pair of pixels takes part.
        """
        gap = 0 if labelling == "block" else g
        return cls(dim=2, size=size, xi=xi, gap=gap, labelling=labelling, norm="l2", amplitude="mean", periodic=False)

    # ------------------------------------------------------------------ checks

    def _check_geometry(self) -> None:
        if self.dim not in (1, 2, 3):
            raise bad_value("dim", self.dim, "must be 1, 2 or 3")
        if self.size < 3:
            raise bad_value("size", self.size, "must be at least 3 pixels")
        if self.gap < 0:
            raise bad_value("gap", self.gap, "must not be negative")
        if self.near_threshold <= 4:
            raise bad_value("xi", self.xi, f"xi - gap/2 must exceed 1 pixel, and gap={self.gap}", "raise xi")
        if self.labelling == "block":
            if self.gap != 0:
                raise bad_value("gap", self.gap, 'must be 0 for labelling="block"')
            if not isinstance(self.xi, int):
                raise bad_value("xi", self.xi, 'must be an integer for labelling="block": it is the side of a block')
            if self.xi >= self.size:
                raise bad_value("xi", self.xi, f"must be below size={self.size}, or the class 'far' is empty")

    def _check_population(self) -> None:
        if self.labelling == "distance" and not self._far_exists():
            raise bad_value(
                "xi",
                self.xi,
                f"no two pixels of this lattice (size={self.size}, gap={self.gap}, norm={self.norm!r}, "
                f"periodic={self.periodic}) are as far apart as xi + gap/2: the class 'far' is empty",
                "lower xi or gap, or raise size",
            )
        pairs = self.n_sites * (self.n_sites - 1) // 2
        # Small lattices cannot break the limit; on absurd ones the count alone would fill the memory.
        if pairs > MAX_CLASS_SIZE and (pairs > 16 * MAX_CLASS_SIZE or max(self.n_near, self.n_far) > MAX_CLASS_SIZE):
            raise bad_value("size", self.size, "a class of this task has more than 2^63 - 1 pairs", "lower size")

    def _far_exists(self) -> bool:
        longest = self.size // 2 if self.periodic else self.size - 1
        if self.norm == "l2":
            return 16 * self.dim * longest**2 >= self.far_threshold**2
        return 4 * longest * (self.dim if self.norm == "l1" else 1) >= self.far_threshold


def _half_integer(name: str, value: object) -> int | float:
    text = "an integer or a half-integer, in pixels"
    number = finite(name, value, kind=text, allowed=text)
    if abs(number) > 2**40 or 2 * number != round(2 * number):
        raise bad_value(name, value, f"must be {text}", "try 14 or 14.5")
    return int(number) if number == int(number) else number


def _amplitude(value: object) -> Amplitude:
    if isinstance(value, str):
        one_of("amplitude", value, ("norm", "mean"))
        return value  # type: ignore[return-value]
    text = '"norm", "mean" or a positive number'
    return intensity("amplitude", value, kind=text)


def check_task(task: object, name: str = "task") -> Task:
    """`task`, which must be a `Task`; a card and the name of a card are none."""
    if not isinstance(task, Task):
        raise bad_type(name, task, "must be a scaledetect.Task", "load_task(name) gives one for a card")
    return task
