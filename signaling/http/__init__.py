"""HTTP: the demo's pages, health, metrics, REST. The only package that knows aiohttp."""
