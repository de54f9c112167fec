"""Revisions of the database. A revision says what it does in its own words: tables change, it does not."""
