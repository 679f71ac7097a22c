"""Samples of a task: pairs of active pixels, images, data sets; exact, in constant memory, the same for ever."""
