"""The pages that a person reads in a browser.

Nothing is changed, no script is needed, and a page shows only what everybody may read: a page has no login.
"""
