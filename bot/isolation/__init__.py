"""Isolates a process that runs untrusted code: its own root, processes, IPC and network (Linux).

    visible_paths  selects the few paths of this machine that a process may see (runs in the bot)
    launch_order   the order that the bot gives to the launcher
    launcher       the program between the bot and the process: it starts, watches and ends the process
    root           builds a new root from the selected paths
    privileges     gives up capabilities, system calls and sockets for good
    system_calls   the system calls that Python has no function for

The launcher is a program of its own. It imports only these modules and the standard library, so a start takes 30 ms.

Why not bubblewrap, firejail or nsjail: the images of ROCm, CUDA and GitHub's runners have none of them, no Python
package registry has them, and a proof must be possible without the rights to install one. util-linux (`unshare`,
`mount`, `setpriv`) is everywhere. But it needs a shell script with quoting to build a root from single paths, it has no
system call filter, and without namespaces it does not end the processes. The order of the steps is bubblewrap's:
https://github.com/containers/bubblewrap.
"""
