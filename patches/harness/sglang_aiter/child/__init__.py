"""What runs in the child process: the target's own code, loaded, built, captured and replayed as it is asked."""
