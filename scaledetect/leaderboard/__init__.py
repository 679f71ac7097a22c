"""The leaderboard: entries, their scores, records, the grid of runs, tables made of records, and verification."""
