"""Bring a database to the newest schema, once, however many processes start at the same time.

Alembic is loaded for databases that need it only: a process that finds everything done starts
a tenth of a second earlier.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect

from signaling.adapters.sql.database import LOCK_KEY

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).with_name("migrations")


def config(connection: Connection | None = None) -> "Config":
    """Alembic's settings without a file; `connection` is what its env.py will use."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    settings.attributes["connection"] = connection
    return settings


def newest() -> str:
    """The revision of the newest schema: files are named by theirs, in order."""
    files = (SCRIPTS / "versions").glob("[0-9]*.py")
    return max(file.name.partition("_")[0] for file in files)


def migrate(engine: Engine) -> None:
    """Upgrade through a connection of this synchronous SQLite engine."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            _upgrade(connection)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def migrate_within(connection: Connection) -> None:
    """Upgrade inside the transaction that `connection` is in (PostgreSQL); others wait for it."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
    _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    if _revision(connection) == newest():
        return
    from alembic import command  # noqa: PLC0415 - see above

    command.upgrade(config(connection), "head")


def _revision(connection: Connection) -> str | None:
    """Of the schema there is; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
