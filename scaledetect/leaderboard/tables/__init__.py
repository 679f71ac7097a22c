"""The leaderboard: tables made of records, and of nothing else."""

from scaledetect.leaderboard.tables.board import Leaderboard, leaderboard
from scaledetect.leaderboard.tables.gap import Gap, theory_gaps
from scaledetect.leaderboard.tables.table import CardTable, Mean, Row, card_tables
from scaledetect.leaderboard.tables.text import as_csv, as_data, as_markdown
from scaledetect.statistics.correlation import Correlation, rank_correlation

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
