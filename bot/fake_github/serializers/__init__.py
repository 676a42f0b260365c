"""GitHub's JSON for each noun, with this fake GitHub's own URLs in it.

Pure reading: values of `state` in, JSON out. Field lists follow GitHub's OpenAPI description of api.github.com.
"""
