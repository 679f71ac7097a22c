"""Checks that say in words whether a net can be measured, and whether an entry keeps its contract."""
