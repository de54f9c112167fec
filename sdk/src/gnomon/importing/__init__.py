"""Bringing in what other trackers have kept: read the source, write through the API, and check both ends.

- `report`: sums of every series at both ends, and the report that an import ends with
- `destination`: one run on the server, written exactly once however often the import is started again
- one module or two for each source

An import is resumable because nothing in it depends on when it runs: the id of a run is made from its source, each
file of the source is a writer with batches numbered from 0, and the server's ledger says how far each writer came.
"""
