"""Statistics over seeds: tests that decide a claim, joint tests over layers, power, and the score of a prediction."""

from scaledetect.statistics.directions import decide_direction
from scaledetect.statistics.equivalence import decide_prediction
from scaledetect.statistics.hotelling import HotellingTest, hotelling, joint_test
from scaledetect.statistics.power import direction_power, equivalence_power, tolerance_for_power
from scaledetect.statistics.score import Score, score
from scaledetect.statistics.verdict import Decision, Verdict

__all__ = [
    "Decision", "HotellingTest", "Score", "Verdict", "decide_direction", "decide_prediction", "direction_power",
    "equivalence_power", "hotelling", "joint_test", "score", "tolerance_for_power",
]  # fmt: skip
