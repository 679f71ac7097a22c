"""Perturbations of an image: shifts of active pixels, smooth deformations, white noise."""
