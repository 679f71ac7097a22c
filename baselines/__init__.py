"""Entries of the leaderboard, one small file each: a file put here is registered by being here."""
