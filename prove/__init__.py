"""The equalities that the rest relies on, shown on what the lakehouse holds now."""
