"""REST for exports and erasures, by API key; an archive is fetched by its signed link."""

import msgspec
from aiohttp import web

from signaling import ids
from signaling.auth.registry import now_ms
from signaling.auth.tokens import check_id
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.callers import Callers
from signaling.ports import BlobStore
from signaling.privacy.job import Job, Jobs, Kind
from signaling.protocol.privacy import JobView
from signaling.services.links import Links

LINK_MS = 15 * 60 * 1000


class PrivacyRoutes:
    """`/v1/users/{user}/export`, `/v1/users/{user}/erase` and `/v1/jobs`."""

    def __init__(self, callers: Callers, jobs: Jobs, blobs: BlobStore, links: Links) -> None:
        # passed in
        self._callers = callers
        self._jobs = jobs
        self._blobs = blobs
        self._links = links

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.post("/v1/users/{user}/export", self.export),
            web.post("/v1/users/{user}/erase", self.erase),
            web.get("/v1/jobs", self.list),
            web.get("/v1/jobs/{job}", self.get),
            web.get("/v1/jobs/{job}/archive", self.archive),
        ]

    async def export(self, request: web.Request) -> web.Response:
        """Ask for an archive; while one is being made, this gives that job."""
        return await self._ask(request, "export")

    async def erase(self, request: web.Request) -> web.Response:
        """Ask for all of a user to be forgotten. There is no way back."""
        return await self._ask(request, "erase")

    async def list(self, request: web.Request) -> web.Response:
        """The app's jobs, newest first."""
        key = await self._callers.key(request, "admin")
        limit, cursor = paging.limit_of(request), paging.cursor_of(request)
        found = await self._jobs.all(key.app, cursor, limit + 1)
        rows, following = paging.page(found, limit, lambda job: job.id)
        return _json({"jobs": [self._view(job) for job in rows], "next": following})

    async def get(self, request: web.Request) -> web.Response:
        """One job. Raises Refused not_found."""
        key = await self._callers.key(request, "admin")
        return _json(self._view(await self._job(key.app, request.match_info["job"])))

    async def archive(self, request: web.Request) -> web.StreamResponse:
        """The zip of an export. Raises Refused: forbidden, not_found."""
        name, query = request.match_info["job"], request.query
        self._links.check(_path(name), query.get("exp", ""), query.get("sig", ""), now_ms())
        job = await self._jobs.get(name)
        key = None if job is None else job.result
        size = None if key is None else await self._blobs.size(key)
        if key is None or size is None:
            raise Refused("not_found", "the archive is gone")
        return await self._send(request, f"{name}.zip", key, size)

    async def _send(
        self, request: web.Request, name: str, key: str, size: int
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/zip",
                "Content-Length": str(size),
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            }
        )
        await response.prepare(request)
        async for chunk in self._blobs.read(key, 0, size):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _ask(self, request: web.Request, kind: Kind) -> web.Response:
        key = await self._callers.key(request, "admin")
        try:
            user = check_id(request.match_info["user"], "user")
        except Refused as refused:
            raise Refused("not_found", f"no such user: {refused.message}") from refused
        now = now_ms()
        asked = Job(
            id=ids.new("job"), app=key.app, kind=kind, user=user, created_at=now, updated_at=now
        )
        return _json(self._view(await self._jobs.put(asked)), 202)

    async def _job(self, app: str, job: str) -> Job:
        found = await self._jobs.get(job)
        if found is None or found.app != app:
            raise Refused("not_found", "no such job")
        return found

    def _view(self, job: Job) -> JobView:
        return JobView(
            job=job.id,
            kind=job.kind,
            user=job.user,
            state=job.state,
            created_at=job.created_at,
            updated_at=job.updated_at,
            items=job.items,
            error=job.error,
            download_url=self._links.sign(_path(job.id), now_ms() + LINK_MS)
            if job.result
            else None,
            expires_at=job.expires_at,
        )


def _path(job: str) -> str:
    return f"/v1/jobs/{job}/archive"


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
