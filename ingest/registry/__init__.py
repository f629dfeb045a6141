"""The dataset registry: which topic goes into which tables, and how, as a service that is changed while all runs.

`ingest/datasets/` seeds it and stays the reviewed default. The ingester follows it, and goes on without it.
"""
