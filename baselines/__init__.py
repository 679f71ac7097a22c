"""Entries of the leaderboard, one small file each."""
