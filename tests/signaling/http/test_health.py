"""Alive, ready, and counted."""

from signaling.http.health import Health
from signaling.metrics import Counter, Metrics
from tests.signaling.http.conftest import Serving


async def test_alive_whatever_is_broken(serving: Serving) -> None:
    async def broken() -> None:
        raise OSError("away")

    client = await serving(Health(Metrics(), {"database": broken}).routes())
    async with client.get("/healthz") as response:
        assert response.status == 200
    async with client.get("/readyz") as response:
        assert response.status == 503
        assert await response.json() == {"status": "unavailable", "checks": {"database": False}}


async def test_ready_until_it_drains(serving: Serving) -> None:
    async def fine() -> None:
        return None

    health = Health(Metrics(), {"database": fine})
    client = await serving(health.routes())
    async with client.get("/readyz") as response:
        assert (response.status, (await response.json())["status"]) == (200, "ready")
    health.drain()
    async with client.get("/readyz") as response:
        assert (response.status, (await response.json())["status"]) == (503, "draining")
    async with client.get("/healthz") as response:
        assert response.status == 200


async def test_metrics_count_requests_by_route(serving: Serving) -> None:
    metrics = Metrics()
    client = await serving(Health(metrics, {}).routes(), metrics)
    for _ in range(2):
        async with client.get("/healthz"):
            pass
    async with client.get("/nowhere/at/all"):
        pass
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await response.text()
    line = 'tokenim_http_requests_total{method="GET",route="/healthz",status="200"} 2'
    assert line in text.splitlines()
    assert "/nowhere" not in text


def test_the_exposition_is_prometheus_text() -> None:
    metrics = Metrics()
    counter = Counter("events_total", "name")
    counter.add('quo"te\n\\')
    counter.add("b", by=2.5)
    metrics.add(counter.samples)
    metrics.add_numbers("media", lambda: {"rooms": 3, "drops_total": {"late": 2}, "text": "x"})
    assert metrics.render() == (
        "# TYPE events_total counter\n"
        'events_total{name="quo\\"te\\n\\\\"} 1\n'
        'events_total{name="b"} 2.5\n'
        "# TYPE media_drops_total counter\n"
        'media_drops_total{kind="late"} 2\n'
        "# TYPE media_rooms gauge\n"
        "media_rooms 3\n"
    )
