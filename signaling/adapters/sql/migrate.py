"""Bring a database to the newest schema, once, however many processes start at the same time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from signaling.adapters.sql.database import LOCK_KEY

SCRIPTS = Path(__file__).with_name("migrations")


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings without a file; `connection` is what its env.py will use."""
    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    settings.attributes["connection"] = connection
    return settings


def migrate(engine: Engine) -> None:
    """Upgrade through a connection of this synchronous SQLite engine."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            command.upgrade(config(connection), "head")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def migrate_within(connection: Connection) -> None:
    """Upgrade inside the transaction that `connection` is in (PostgreSQL); others wait for it."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
    command.upgrade(config(connection), "head")
