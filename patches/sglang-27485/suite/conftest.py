"""Regression suite of the draft tokens' room in the graph index buffer of sglang's AITER attention backend."""

pytest_plugins = ["isolated.plugin", "sglang_aiter.early", "sglang_aiter.plugin"]
