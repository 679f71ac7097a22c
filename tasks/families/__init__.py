"""Families of task cards: one TOML file each."""
