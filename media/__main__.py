"""`python -m media`: the SFU alone, with WHIP and WHEP."""

import argparse
import asyncio
import os
import sys

from media.whip import serve


def main() -> int:
    """Parse the arguments and run until a signal."""
    parser = argparse.ArgumentParser(prog="python -m media", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address of WHIP and WHEP")
    parser.add_argument("--port", type=int, default=8081, help="TCP port of WHIP and WHEP")
    parser.add_argument("--udp-port", type=int, default=7882, help="UDP port of media")
    parser.add_argument("--announce", action="append", default=[], help="address in candidates")
    parser.add_argument(
        "--token",
        default=os.environ.get("TOKENIM_SFU_TOKEN"),
        help="Bearer token callers must send (or TOKENIM_SFU_TOKEN)",
    )
    given = parser.parse_args()
    running = serve(
        host=given.host,
        port=given.port,
        udp_port=given.udp_port,
        token=given.token,
        announced=tuple(given.announce),
    )
    try:
        asyncio.run(running)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"python -m media: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
