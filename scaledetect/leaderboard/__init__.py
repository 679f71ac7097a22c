"""The leaderboard: tables made of records, and of nothing else."""

from scaledetect.leaderboard.board import Leaderboard, leaderboard
from scaledetect.leaderboard.correlation import Correlation, rank_correlation
from scaledetect.leaderboard.gap import Gap, theory_gaps
from scaledetect.leaderboard.table import CardTable, Mean, Row, card_tables
from scaledetect.leaderboard.text import as_csv, as_data, as_markdown

__all__ = [
    "CardTable",
    "Correlation",
    "Gap",
    "Leaderboard",
    "Mean",
    "Row",
    "as_csv",
    "as_data",
    "as_markdown",
    "card_tables",
    "leaderboard",
    "rank_correlation",
    "theory_gaps",
]
