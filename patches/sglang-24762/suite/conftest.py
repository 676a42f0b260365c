"""Regression suite of the number of KV splits that sglang's Triton backend takes on MI300X and MI325X."""

pytest_plugins = ["isolated.plugin", "sglang_parts.early", "sglang_parts.plugin"]
