"""The contract of a theory on the board: what it is told, which experiments it speaks of, and what it predicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from scaledetect._base.arguments import one_of
from scaledetect._base.errors import bad_value
from scaledetect._base.import_by_name import check_declared
from scaledetect.results import Sensitivities

if TYPE_CHECKING:
    from scaledetect.experiments import Experiment

__all__ = ["TOLD", "Prediction", "Theory", "Told", "check_theory_declaration"]

Told = Literal["task", "statistics", "net"]
TOLD: tuple[Told, ...] = ("task", "statistics", "net")

Prediction = Sensitivities | Sequence[Sensitivities] | Mapping[int, Sensitivities]
"""One for all nets; one a net, in the order of the experiment's seeds; or one for each of some seeds."""


class Theory(ABC):
    """What a theory has to offer: for an experiment that it applies to, sensitivities by layer.

    A theory is built without arguments. It may use what it is told, and nothing else of the experiment: never the
    measurements of a layer that is scored.

    Attributes
    ----------
    name : str
        Up to 50 lower-case letters, digits, ``-`` and ``_``, a letter or digit first; unique.
    title : str
        Name in tables.
    version : int
        From 1 on; raised when a change moves the theory's predictions.
    told : {"task", "statistics", "net"}
        The task and the architecture; also numbers of each net's weights, such as its mean filters; also the net,
        to be run. Theories are ranked among those that are told the same.
    fitted_layers : int, default 0
        First layers whose measurements the theory has used for its free numbers; they are not scored.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[int]
    told: ClassVar[Told]
    fitted_layers: ClassVar[int] = 0

    @abstractmethod
    def applies(self, experiment: Experiment) -> bool:
        """Whether the theory speaks of this experiment."""

    def exact(self, experiment: Experiment) -> bool:
        """Whether it claims to be exact there, so that it is tested too; no theory does where it does not say so."""
        return False

    @abstractmethod
    def predict(self, experiment: Experiment) -> Prediction:
        """Sensitivities of the experiment's layers, to rectified noise (the paper's) and of single channels.

        Parameters
        ----------
        experiment : Experiment
            One that the theory applies to: `task`, `pooling`, `spec`, `layers`, `A`; `nets()` for the nets.

        Returns
        -------
        Sensitivities, or several
            One for all nets; told more than the task, also a sequence with one a net in the order of
            ``experiment.seeds``, or a mapping from some seeds, at least three. Numbers are finite and not negative;
            NaN says nothing of a layer, and costs as much as being off by a factor of ten.
        """


def check_theory_declaration(theory: type[Theory]) -> None:
    """Raise unless the class declares name, title, version and told as `Theory` asks, and defines its methods.

    Raises
    ------
    TypeError, ValueError
        Naming the attribute.
    """
    forms = {"name": str, "title": str, "version": int, "told": str, "fitted_layers": int}
    check_declared(theory, "theory", forms)
    kind = theory.__name__
    if theory.fitted_layers < 0:
        raise bad_value(f"{kind}.fitted_layers", theory.fitted_layers, "must be at least 0")
    one_of(f"{kind}.told", theory.told, TOLD)
