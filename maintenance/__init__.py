"""Files and snapshots of every Iceberg table kept few, by what its dataset or its dbt model says of it."""
