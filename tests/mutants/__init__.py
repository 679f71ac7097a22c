"""Mutants of the core: one small change of the code each, which some test must notice."""
