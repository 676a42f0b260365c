"""The line cut into commands that run in separate jobs: plan → pick → seal → prove → publish.

Owns the run folder that passes between the jobs and what each job may believe of it. The steps themselves are those of
`bot.workflow.line`. The jobs differ in what they hold:

    plan      a token       reads the event, answers it, pins every ref
    pick      read access   makes one candidate and a bundle of it
    seal      nothing       fixes what plan and pick left, before anybody's code runs
    prove     nothing       runs the regression suite: from here on the folder is in foreign hands
    publish   a token       runs nobody's code, and believes only what the seal covers and a verdict about it
"""
