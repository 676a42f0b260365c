"""Runs the target's code in a child process, so that nothing of it is in the process that judges it.

The judge is the pytest process. It asks, counts what it asked, keeps the expected values and writes the report. The
child does what it is asked and answers in JSON; both see the memory of the target's buffers. A fault, an abort or a
hang costs one case: the next case gets a new child.

    SUITE_CASE_SECONDS   how long the child may take for one answer before it counts as a hang; 240 where it is not set
    SUITE_TURN           a file that is made when the cases may begin; where it is not set they begin at once
"""
