"""The small project of the pipeline's tests, for what starts the pipeline."""

from tests.pipeline.conftest import history, office

__all__ = ["history", "office"]
