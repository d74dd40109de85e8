"""The lessons: one file each, with its exercises."""
