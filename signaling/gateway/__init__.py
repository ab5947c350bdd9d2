"""The Socket.IO edge: clients' sockets on one side, `ports.Hooks` on the other.

gateway = Gateway(GatewayConfig(), hooks)
gateway.attach(app)                     # an aiohttp application
gateway.emit(connections, event, data)  # encoded once
await gateway.drain()                   # before the process ends
"""

from signaling.gateway.config import GatewayConfig
from signaling.gateway.gateway import Gateway

__all__ = ["Gateway", "GatewayConfig"]
