"""Messaging measured through real sockets; the same as `tokenim bench im`.

scripts/bench im [--json] [--only sends,latency,storm,history,growth] [--events 10000000]
"""

import sys

from signaling.cli import cli

if __name__ == "__main__":
    cli(["bench", "im", *sys.argv[1:]])
