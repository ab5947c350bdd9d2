"""What a process loads before it listens: nothing that only some of them need."""

import asyncio
import json
import sys

SEEN = """
import json, sys
import signaling.serving
unused = "redis", "requests", "alembic", "signaling.protocol.openapi", "signaling.http.docs_pages"
loaded = [name for name in unused if name in sys.modules]
import redis
from signaling.adapters.redis_client import Redis
print(json.dumps([loaded, Redis is redis.asyncio.Redis]))
"""


async def test_a_start_loads_nothing_for_others_and_hides_nothing_from_them() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SEEN, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert json.loads(out) == [[], True]
