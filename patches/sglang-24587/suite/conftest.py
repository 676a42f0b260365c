"""Regression suite of the graph index buffers of sglang's AITER attention backend."""

pytest_plugins = ["sglang_aiter.plugin"]
