"""The values that reports are made of, for the tests of templates and Markdown."""

from tests.report.conftest import samples

__all__ = ["samples"]
