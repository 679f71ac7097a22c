"""What a measurement does to an image: shifts of active pixels, smooth deformations, white noise."""
