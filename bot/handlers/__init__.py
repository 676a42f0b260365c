"""Starts backports: for comments, labels, merges and the schedule, and in the jobs of separate CI runs.

The stages plan → pick → seal → prove → publish run in separate jobs that pass one run folder. The jobs differ in what
they hold:

    plan      a token       reads the event, answers it, pins every ref
    pick      read access   makes one candidate and a bundle of it
    seal      nothing       fixes what plan and pick left, before untrusted code runs
    prove     nothing       runs the regression suite: from here on untrusted code may have changed the folder
    publish   a token       runs no untrusted code, and trusts only sealed files and a verdict about them
"""
