"""Regression suite of the token counts that graphs of two overlapping batches read in sglang."""

pytest_plugins = ["isolated.plugin", "sglang_parts.early", "sglang_parts.plugin"]
