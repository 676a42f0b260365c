"""What the process has around it: secrets, folders, files that others can write to, standard output, loopback."""
