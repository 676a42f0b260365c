"""Regression suite of the MLA prefill metadata of sglang's AITER attention backend at page sizes above 1."""

pytest_plugins = ["isolated.plugin", "sglang_aiter.early", "sglang_aiter.plugin"]
