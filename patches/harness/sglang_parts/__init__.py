"""Drives single parts of sglang, each with nothing around it but what that part reads, without a server or a model.

A part is a class or a function of the target's; a suite names the one that it is about. Its code runs in a child
process, by the module of that name in `child`. Trees, imports, devices and guarded buffers are those of
`sglang_aiter`, and so is what the environment variables mean.
"""
