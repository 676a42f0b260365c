"""What starts a backport: comments, labels, merges, the schedule, and the jobs of separate CI runs.

The stages plan → pick → seal → prove → publish run in separate jobs that pass one run folder. The jobs differ in what
they hold:

    plan      a token       reads the event, answers it, pins every ref
    pick      read access   makes one candidate and a bundle of it
    seal      nothing       fixes what plan and pick left, before anybody's code runs
    prove     nothing       runs the regression suite: from here on the folder is in foreign hands
    publish   a token       runs nobody's code, and believes only what the seal covers and a verdict about it
"""
