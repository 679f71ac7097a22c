"""Runs of the suite on other versions than those of `constraints.txt`."""
