"""What runs in the child process: the parts of the target's own code, each by a module of its name.

Each module has a class `Part`, which is made from the tree, the device and the shared memory, and has the `finder` that
answers imports. Its methods are the requests by name; what they return is plain data. It judges nothing.
"""
