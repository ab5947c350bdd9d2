"""POST, PATCH and DELETE of WHIP (RFC 9725) and WHEP, carried out on an Sfu."""

import asyncio
import logging

from aiohttp import hdrs, web

from media.errors import MediaError
from media.events import (
    ParticipantLost,
    SfuEvent,
    TrackPublished,
    TrackUnpublished,
    TrackUpdated,
    TransportLost,
)
from media.sfu import Sfu
from media.whip.admission import Action, Admission, Authorize
from media.whip.answers import answering, preflight
from media.whip.fragment import (
    CONTENT_TYPE,
    answer_fragment,
    read_fragment,
    ufrag_of,
    with_credentials,
)
from media.whip.session import Kind, Session, Sessions

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
BODY_TIMEOUT_S = 10.0
_ENDPOINT = "/{kind:whip|whep}/{room}"
_RESOURCE = _ENDPOINT + "/{session}"
DENIED = frozenset({"unauthorized", "forbidden", "not_found"})
"""What a judge says who was asked, and not that it cannot judge now."""
_ACTIONS: dict[str, Action] = {"whip": "publish", "whep": "subscribe"}


class Whip:
    """Publishers and viewers by HTTP. Give it the Sfu's events with `happened`."""

    def __init__(self, sfu: Sfu, authorize: Authorize, sessions: Sessions | None = None) -> None:
        # passed in
        self._sfu = sfu
        self._authorize = authorize
        # made here
        self.sessions = sessions or Sessions()
        self._leaving: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """`/whip/{room}`, `/whep/{room}` and their resources."""
        return [
            web.post(_ENDPOINT, answering(self._post)),
            web.options(_ENDPOINT, answering(preflight)),
            web.patch(_RESOURCE, answering(self._patch)),
            web.delete(_RESOURCE, answering(self._delete)),
            web.options(_RESOURCE, answering(preflight)),
        ]

    def happened(self, event: SfuEvent) -> None:
        """A fact of the Sfu: a session whose connection is lost ends."""
        if isinstance(event, TrackPublished | TrackUpdated | TrackUnpublished):
            session = self.sessions.of(event.room, event.participant)
            if session is not None:
                session.track(event)
        elif isinstance(event, TransportLost | ParticipantLost):
            session = self.sessions.of(event.room, event.participant)
            if session is not None and self.sessions.remove(session):
                log.info("- %s in %s: connection lost", session.participant, session.room)
                task = asyncio.create_task(self._leave(session), name="whip-leave")
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """End every session."""
        for session in self.sessions.all():
            await self.end(session)
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def end(self, session: Session) -> None:
        """From this side. Nothing happens when it ended already."""
        if self.sessions.remove(session):
            await self._leave(session)

    def mute(self, session: Session, track: str) -> None:
        """Forward one of its tracks no more. Raises MediaError not_found."""
        self._sfu.update_track(session.room, session.participant, track, muted=True)

    async def review(self) -> None:
        """End the sessions whose tokens would not be admitted now: they ran out, or were taken
        back. One that cannot be judged goes on.
        """
        for session in self.sessions.all():
            if not await self._still(session) and self.sessions.remove(session):
                log.info("- %s in %s: not admitted any more", session.participant, session.room)
                await self._leave(session)

    async def _still(self, session: Session) -> bool:
        try:
            action = _ACTIONS[session.kind]
            admission = await self._authorize(session.token, action, session.asked)
        except MediaError as error:
            return error.code not in DENIED
        return admission.room == session.room

    async def admit(self, request: web.Request, action: Action, room: str) -> Admission:
        """What the request's Bearer token is good for. Raises MediaError."""
        return await self._authorize(_bearer(request), action, room)

    # requests

    async def _post(self, request: web.Request) -> web.Response:
        kind, admission = await self._admit_path(request)
        offer = await _body(request, "application/sdp")
        asked, token = request.match_info["room"], _bearer(request)
        session = Session(
            kind, admission.room, offer, _ufrag(offer), asked, token, tag=admission.tag
        )
        self.sessions.add(session)
        try:
            answer = await self._begin(session, admission)
        except BaseException:
            # A client that went away in between must not leave a Participant behind.
            if self.sessions.remove(session):
                await asyncio.shield(self._leave(session))
            raise
        headers = {
            hdrs.LOCATION: f"{request.rel_url.raw_path.rstrip('/')}/{session.id}",
            hdrs.ETAG: session.etag,
            "Accept-Patch": CONTENT_TYPE,
        }
        return web.Response(
            status=201, text=answer, content_type="application/sdp", headers=headers
        )

    async def _patch(self, request: web.Request) -> web.Response:
        kind, admission = await self._admit_path(request)
        session = self.sessions.find(kind, request.match_info["session"], admission.room)
        session.token = _bearer(request)  # perhaps a later one: from now on it is the one judged
        text = await _body(request, CONTENT_TYPE)
        try:
            fragment = read_fragment(text)
        except ValueError as error:
            raise MediaError("bad_request", str(error)) from error
        wanted = request.headers.get(hdrs.IF_MATCH)
        if fragment.ufrag != session.ufrag:
            if wanted not in {None, "*", session.etag}:
                raise web.HTTPPreconditionFailed(text="the ICE session is another")
            return await self._restart(session, with_credentials(session.offer, fragment))
        if wanted is None:
            raise web.HTTPPreconditionRequired(text="If-Match is required")
        if wanted not in {"*", session.etag}:
            raise web.HTTPPreconditionFailed(text="the ICE session is another")
        # A lite agent learns addresses from the checks; there is nothing to do with candidates.
        return web.Response(status=204, headers={hdrs.ETAG: session.etag})

    async def _delete(self, request: web.Request) -> web.Response:
        kind, admission = await self._admit_path(request)
        session = self.sessions.find(kind, request.match_info["session"], admission.room)
        await self.end(session)
        return web.Response(status=200)

    async def _admit_path(self, request: web.Request) -> tuple[Kind, Admission]:
        kind: Kind = "whip" if request.match_info["kind"] == "whip" else "whep"
        return kind, await self.admit(request, _ACTIONS[kind], request.match_info["room"])

    # the Sfu

    async def _begin(self, session: Session, admission: Admission) -> str:
        """Enter the Room; returns our answer. Raises MediaError."""
        room, participant = session.room, session.participant
        if session.kind == "whep":
            return await self._sfu.view(room, participant, session.offer, admission.rights)
        self._sfu.join(room, participant, admission.rights)
        published = await self._sfu.publish(room, participant, session.offer)
        if not published.tracks:
            raise MediaError("unsupported", "the offer sends nothing we can forward")
        return published.sdp

    async def _restart(self, session: Session, offer: str) -> web.Response:
        """ICE restart of a publisher; a viewer posts anew (RFC 9725 section 4.3.3)."""
        if session.kind == "whep":
            raise MediaError("unsupported", "viewers cannot restart ICE: POST again")
        published = await self._sfu.publish(session.room, session.participant, offer)
        session.restarted(offer, _ufrag(offer))
        return web.Response(
            status=200,
            text=answer_fragment(published.sdp),
            content_type=CONTENT_TYPE,
            headers={hdrs.ETAG: session.etag},
        )

    async def _leave(self, session: Session) -> None:
        await self._sfu.leave(session.room, session.participant)


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else None
    return given or None


def _ufrag(offer: str) -> str:
    try:
        return ufrag_of(offer)
    except ValueError as error:
        raise MediaError("bad_request", f"bad SDP: {error}") from error


async def _body(request: web.Request, content_type: str) -> str:
    """The request's text, bounded in size and time. Raises MediaError."""
    if request.content_type != content_type:
        raise web.HTTPUnsupportedMediaType(text=f"send {content_type}")
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > MAX_BODY_BYTES:
                    raise MediaError("too_large", "the description is too large")
    except TimeoutError as error:
        raise MediaError("timeout", "the body did not come in time") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MediaError("bad_request", "the body is not UTF-8") from error
