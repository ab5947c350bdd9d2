"""New databases at the newest schema: migrated once a run, copied for each test."""

import functools
import tempfile
from pathlib import Path

from signaling.adapters.sql.migrate import migrate
from signaling.adapters.sql.sqlite import create_writer_engine


def fresh(path: Path) -> Path:
    """The same path, where there is a database now; one that was there is left as it is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_newest())
    return path


@functools.cache
def _newest() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "newest.db"
        engine = create_writer_engine(str(path))
        migrate(engine)
        engine.dispose()
        return path.read_bytes()
