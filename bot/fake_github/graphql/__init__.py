"""The small GraphQL part of the fake GitHub: what REST cannot say (drafts, review threads, auto-merge).

Owns the schema, the values behind it and the mutations. graphql-core reads and checks queries.
"""
