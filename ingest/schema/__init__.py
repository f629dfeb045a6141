"""What a stream's bodies look like: inferred from samples, compared with what is known, kept in versions."""
