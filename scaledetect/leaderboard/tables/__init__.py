"""The leaderboard: tables made of records, and of nothing else."""

from scaledetect.leaderboard.tables.board import Leaderboard, leaderboard, published_records
from scaledetect.leaderboard.tables.scaling import FamilyRow, FamilyTable, family_tables
from scaledetect.leaderboard.tables.table import CardTable, Mean, Row, card_tables
from scaledetect.leaderboard.tables.text import as_csv, as_data, as_markdown
from scaledetect.statistics.correlation import Correlation, rank_correlation

__all__ = [
    "CardTable",
    "Correlation",
    "FamilyRow",
    "FamilyTable",
    "Leaderboard",
    "Mean",
    "Row",
    "as_csv",
    "as_data",
    "as_markdown",
    "card_tables",
    "family_tables",
    "leaderboard",
    "published_records",
    "rank_correlation",
]
