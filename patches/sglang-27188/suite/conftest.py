"""Regression suite of the plans that sglang's AITER attention backend orders for MLA decode."""

pytest_plugins = ["isolated.plugin", "sglang_parts.early", "sglang_parts.plugin"]
