"""A new topic from nothing to a tested mart: what its records show becomes files that an analyst then owns."""
