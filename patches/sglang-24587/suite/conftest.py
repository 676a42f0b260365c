"""Regression suite of the graph index buffers of sglang's AITER attention backend."""

pytest_plugins = ["isolated.plugin", "sglang_aiter.early", "sglang_aiter.plugin"]
