"""Leaderboard entries: the contract, its kinds, and the rows they are served."""
