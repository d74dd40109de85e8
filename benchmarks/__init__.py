"""Measurements against rivals. Every figure is a ratio of medians, both sides in one run."""
