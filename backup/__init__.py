"""The lake copied to a folder and laid down again: catalog, files of every table, PostgreSQL's databases. Not Kafka."""
