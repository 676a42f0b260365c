"""Regression suite of sglang's AITER attention backend under graphs that are larger than the request pool."""

pytest_plugins = ["isolated.plugin", "sglang_aiter.early", "sglang_aiter.plugin"]
