"""The small GraphQL part of the fake GitHub, for what REST cannot say: drafts, review threads, auto-merge.

graphql-core reads and checks the queries.
"""
