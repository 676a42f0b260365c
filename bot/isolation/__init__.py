"""The walls of a process that runs somebody's code: a root, processes, IPC and a network of its own (Linux).

    view        this machine → the few paths that a process may see (runs in the bot)
    launcher    the program that stands between the bot and the process: it starts, watches and ends it
    root        puts those paths together to a new root
    privileges  gives up capabilities, system calls and sockets for good
    kernel      the system calls that Python has no function for

The launcher is a program of its own: Python with nothing but these modules and the standard library, 30 ms to a start.
It must not import anything else of the bot. Why not bubblewrap, firejail or nsjail: none of them is in the images of
ROCm, CUDA and GitHub's runners, none can be had from a Python package registry, and a proof must be possible without
root to install one. util-linux (`unshare`, `mount`, `setpriv`) is everywhere, but gives no new root with single paths
in it but through a shell script that quotes them, has no system call filter, and leaves nobody to end the processes
where there are no namespaces. The order of the steps is bubblewrap's: https://github.com/containers/bubblewrap.
"""
