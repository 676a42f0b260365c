"""Reads commands from comments and events, resolves their targets, and decides who may run them. No I/O."""
