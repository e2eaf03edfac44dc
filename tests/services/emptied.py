"""A store on PostgreSQL that is emptied between tests, which is quicker than copying one for each."""

import psycopg

from store.schema import metadata


class Emptied:
    """A store on PostgreSQL that can be put back to how it was made."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._conninfo = url.replace("+psycopg", "")
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            kept = [table for table in metadata.tables if connection.execute(f"SELECT 1 FROM {table}").fetchone()]
            sequences = connection.execute("SELECT sequencename FROM pg_sequences").fetchall()
            connection.execute("CREATE SCHEMA made")
            for table in kept:
                connection.execute(f"CREATE TABLE made.{table} AS SELECT * FROM {table}")
        self._script = "; ".join(
            (
                "SET session_replication_role = replica",  # without triggers, so that the audit can be emptied, too
                *(f"DELETE FROM {table}" for table in metadata.tables),
                *(f"ALTER SEQUENCE {name} RESTART" for (name,) in sequences),
                *(f"INSERT INTO {table} SELECT * FROM made.{table}" for table in kept),
            )
        )

    def again(self) -> str:
        """Empty the store, and tell its URL."""
        with psycopg.connect(self._conninfo) as connection:
            connection.execute(self._script)
        return self.url
