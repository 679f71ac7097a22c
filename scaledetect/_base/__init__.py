"""Foundations: errors, checks of arguments, files, versions, images in any form, imports by name."""
