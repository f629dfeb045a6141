"""dbt's incremental models rebuilt for days of event time, by the models that run every day."""
