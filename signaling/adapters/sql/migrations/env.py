"""Alembic's entry: signaling.adapters.sql.migrate hands in a connection, in a transaction."""

from alembic import context

from signaling.adapters.sql.tables import metadata

connection = context.config.attributes["connection"]
if connection is None:
    context.configure(dialect_name="sqlite", target_metadata=metadata, literal_binds=True)
else:
    # The caller began the transaction and ends it; two starting nodes must not interleave.
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
