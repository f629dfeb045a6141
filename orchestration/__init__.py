"""What the declarations in `dags/` share. Imported by Airflow's own environment, which has neither Spark nor dbt."""
