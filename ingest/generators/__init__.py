"""Event generators: what is sent (pure, deterministic by seed) apart from how it is sent (`sending`, `shares`)."""
