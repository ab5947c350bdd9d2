"""python-engineio and python-socketio, without what they load for parts of theirs not used here."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Packages that are optional for what is imported meanwhile are not found, unless they are
    loaded already; afterwards they are there for everyone.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# For blocking clients and for managers of several nodes: a tenth of the time that a start takes.
with without("redis", "requests"):
    import engineio
    import socketio
    from engineio.async_socket import AsyncSocket

__all__ = ["AsyncSocket", "engineio", "socketio"]
