"""Finds the originals that each stable branch should have, which of them it lacks, why, and what to do next."""
