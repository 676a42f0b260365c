"""The pages that a person reads in a browser.

Owns how things look. Changes nothing, needs no script, and shows only what everybody may read: a page has no login.
"""
