"""The library insides that the gateway leans on: a new version that moves them fails here."""

import inspect

import engineio
import socketio
from aiohttp._websocket.helpers import websocket_mask
from aiohttp.web_protocol import RequestHandler
from engineio.async_socket import AsyncSocket


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_python_socketio_builds_its_engine_from_a_class_it_is_told() -> None:
    source = inspect.getsource(socketio.base_server.BaseServer.__init__)
    assert "self.eio = self._engineio_server_class()(**engineio_options)" in source
    assert socketio.AsyncServer._engineio_server_class(None) is engineio.AsyncServer


def test_python_engineio_keeps_its_sessions_in_sockets() -> None:
    server = engineio.AsyncServer(async_mode="aiohttp", monitor_clients=False)
    assert server.sockets == {}
    assert server.transports == ["polling", "websocket"]
    assert server.allow_upgrades is True
    assert len(server.generate_id()) == 20


def test_python_engineio_answers_cors_from_an_environ() -> None:
    assert parameters(engineio.AsyncServer._cors_headers) == ["self", "environ"]
    server = engineio.AsyncServer(
        async_mode="aiohttp", cors_allowed_origins=lambda origin, environ: origin == "a"
    )
    environ = {"REQUEST_METHOD": "GET", "HTTP_ORIGIN": "a"}
    assert ("Access-Control-Allow-Origin", "a") in server._cors_headers(environ)
    assert server._cors_headers(environ | {"HTTP_ORIGIN": "b"})[0][0] != (
        "Access-Control-Allow-Origin"
    )


def test_a_socket_of_python_engineio_has_the_attributes_ours_sets() -> None:
    assert parameters(AsyncSocket.__init__) == ["self", "server", "sid"]
    made = AsyncSocket(engineio.AsyncServer(async_mode="aiohttp"), "sid")
    flags = {"connected", "upgrading", "upgraded", "closing", "closed"}
    assert flags | {"last_ping", "session", "server", "sid", "queue"} == set(vars(made))


def test_aiohttp_masks_in_place() -> None:
    data = bytearray(b"abcde")
    websocket_mask(b"\x01\x02\x03\x04", data)
    assert data == b"````d"


def test_aiohttp_lets_go_of_a_transport() -> None:
    slots = {name for kind in RequestHandler.__mro__ for name in getattr(kind, "__slots__", ())}
    assert {"transport", "_message_tail", "_manager", "_task_handler", "_lingering_time"} <= slots
    assert parameters(RequestHandler.connection_lost) == ["self", "exc"]
