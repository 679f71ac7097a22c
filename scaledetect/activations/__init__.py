"""Hooks on a network: which layers count, their activations while it runs, and the net left as it was found."""
