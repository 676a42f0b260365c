"""Runs the cases of a suite in a process that may die: a fault, an abort or a hang costs one case and not the run.

A suite's conftest names `isolated.plugin` in `pytest_plugins`, before plugins that use its hooks.

    SUITE_CASE_SECONDS   how long one case may take before it counts as a hang; 240 where it is not set
    SUITE_TURN           a file that is made when the cases may begin; where it is not set they begin at once
"""
