"""What a dataset's golds see of its readable rows: ordered steps of its YAML, by name. Bronze keeps what came."""
