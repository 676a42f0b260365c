"""The environment of the process: secrets, folders, untrusted files, standard output, loopback."""
