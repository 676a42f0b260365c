"""The service's pages: what runs and waits, what each run came to, and what the stable branches lack."""
