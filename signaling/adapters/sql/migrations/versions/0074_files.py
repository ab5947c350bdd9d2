"""Where a file's bytes land and are kept, who offered it, and what an app's files weigh."""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

_KEYS = """
    UPDATE files SET blob = app || '/' || substr(sha256, 1, 2) || '/' || sha256
    WHERE state IN ('ready', 'storing')
"""
_WEIGHTS = """
    INSERT INTO files_space (app, bytes)
    SELECT app, sum(size) FROM (
        SELECT app, blob, max(size) AS size FROM files
        WHERE state IN ('ready', 'storing') GROUP BY app, blob
        UNION ALL
        SELECT app, id, size FROM files WHERE state = 'uploading'
    ) AS kept GROUP BY app
"""


def upgrade() -> None:
    """Blobs keep the keys they have; new ones get a key that is never used again."""
    no = sa.false()
    op.add_column("files", sa.Column("admin", sa.Boolean(), nullable=False, server_default=no))
    op.add_column("files", sa.Column("spool", sa.String(), nullable=True))
    op.add_column("files", sa.Column("blob", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "files_space",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", name="pk_files_space"),
    )
    op.execute(_KEYS)
    op.execute(_WEIGHTS)
    op.create_index("ix_files_blob", "files", ["blob"])
    unposted = sa.text("seq IS NULL")
    op.create_index(
        "ix_files_unposted",
        "files",
        ["state", "touched_at"],
        sqlite_where=unposted,
        postgresql_where=unposted,
    )
    op.drop_index("ix_files_state_touched_at", "files")
    op.create_index("ix_reports_app_reporter", "reports", ["app", "reporter"])


def downgrade() -> None:
    """Files kept under new keys cannot be read by older code: their rows go."""
    op.drop_index("ix_reports_app_reporter", "reports")
    op.create_index("ix_files_state_touched_at", "files", ["state", "touched_at"])
    op.drop_index("ix_files_unposted", "files")
    op.drop_index("ix_files_blob", "files")
    op.execute("DELETE FROM files WHERE blob LIKE '%/%-f_%'")
    op.drop_table("files_space")
    for column in ("blob", "spool", "admin"):
        op.drop_column("files", column)
