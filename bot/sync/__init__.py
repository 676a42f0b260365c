"""What the main branch has and each stable branch should have: which of it is missing there, why, and what is next."""
