"""Whether the work for a message grows with what was said before, or with how many may read it."""

from typing import Any

from signaling.bench.filling import Filling
from signaling.bench.history import auth, refill
from signaling.bench.house import House
from signaling.bench.sends import ignore, send
from signaling.bench.wire import Client

SENDS = 3_000
WINDOW = 50
ROUNDS = 3
HISTORY = 1_000_000
MEMBERS = 10_000
KINDS = {
    "small": Filling(prefix="c_small_"),
    "members": Filling(prefix="c_large_", members=MEMBERS),
    "history": Filling(prefix="c_old_", events=HISTORY),
}


async def growth(house: House) -> dict[str, Any]:
    """µs of the server's CPU for a send to a conversation of each kind, in turns."""
    await refill(house, list(KINDS.values()))
    client = await Client.connect(house.url, auth(house), ignore)
    costs: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(ROUNDS + 1):
        for kind, filling in KINDS.items():
            cost = await _cost(house, client, f"{filling.prefix}0", f"{number}")
            costs[kind].append(cost)
    client.close()
    least = {kind: min(values[1:]) for kind, values in costs.items()}  # the first warms up
    return {
        "members": MEMBERS,
        "events": HISTORY,
        **{f"cpu_us_per_send_{kind}": round(cost) for kind, cost in least.items()},
        "members_ratio": round(least["members"] / least["small"], 2),
        "history_ratio": round(least["history"] / least["small"], 2),
    }


async def _cost(house: House, client: Client, conversation: str, name: str) -> float:
    before = house.cpu_s()
    for first in range(0, SENDS, WINDOW):
        names = [f"{name}-{first + n}" for n in range(WINDOW)]
        for ack in [send(client, conversation, f"{conversation}-{one}") for one in names]:
            assert (await ack)["ok"]
    return (house.cpu_s() - before) / SENDS * 1e6
