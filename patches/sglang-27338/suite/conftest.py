"""Regression suite of the index rows that sglang's FlashInfer backend fills for draft steps."""

pytest_plugins = ["isolated.plugin", "sglang_parts.early", "sglang_parts.plugin"]
