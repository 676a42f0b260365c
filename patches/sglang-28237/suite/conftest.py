"""Regression suite of the weight that sglang gives a shared expert where experts are dispatched by ranks."""

pytest_plugins = ["isolated.plugin", "sglang_parts.early", "sglang_parts.plugin"]
