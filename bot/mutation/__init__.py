"""Mutation testing of carried patches: small wrong changes of what a patch writes, which its rules or suite must find.

Mutants are made at run time from a target's tree, by its syntax alone. One that neither judge finds and that is not
proven harmless shows an author which rule or case is missing.
"""
