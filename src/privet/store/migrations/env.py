"""Runs the versions on the connection that `privet.store.migrate` hands over."""

from alembic import context

from privet.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # On SQLite too: half a migration must not survive a crash.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
