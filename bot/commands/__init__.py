"""A comment or an event → commands with their targets, and who may give them. Pure: it asks neither GitHub nor git."""
