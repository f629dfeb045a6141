"""The serving tables in PostgreSQL, kept fresh. What is in them is dbt's: `dbt_project/models/serving`."""
