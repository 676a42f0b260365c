"""Takes a backport request through plan → pick → prove → publish, one target branch at a time."""
