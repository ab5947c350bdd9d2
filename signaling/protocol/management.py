"""REST paths for an app's server, which are no requests of the wire."""

from dataclasses import dataclass

import msgspec

from signaling.protocol import admin, audit, live, moderation, privacy, usage, webhooks
from signaling.protocol.rest import Method
from signaling.protocol.settings import AppSettings

TEXT: dict[str, object] = {"type": "string", "maxLength": 200}
DAY: dict[str, object] = {"type": "string", "format": "date"}
USAGE_QUERY: tuple[tuple[str, dict[str, object]], ...] = (
    ("from", DAY),
    ("to", DAY),
    ("granularity", {"enum": ["day", "month"]}),
)


@dataclass(frozen=True, slots=True)
class Managing:
    """`method path` by API key."""

    method: Method
    path: str
    summary: str
    body: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    listed: str = ""
    """The field whose array holds `answer`s, when there are many."""
    status: int = 200
    scope: str = "admin"
    """What the key needs."""
    tag: str = "management"
    paged: bool = False
    query: tuple[tuple[str, dict[str, object]], ...] = ()
    """Parameters beside `cursor` and `limit`: name and schema."""


MANAGEMENT = (
    Managing("GET", "/app", "The calling key's app.", answer=admin.AppView, scope="read"),
    Managing(
        "PATCH", "/app", "Change the app's name and settings.", admin.UpdateApp, admin.AppView
    ),
    Managing(
        "GET",
        "/app/conversations",
        "All conversations of the app, the latest active first.",
        answer=admin.ConversationView,
        listed="conversations",
        scope="read",
        paged=True,
        query=(("query", TEXT),),
    ),
    Managing(
        "GET",
        "/app/conversations/{conversation}",
        "One of them, by id or alias.",
        answer=admin.ConversationView,
        scope="read",
    ),
    Managing(
        "GET",
        "/app/conversations/{conversation}/members",
        "Who is in it.",
        answer=admin.MemberView,
        listed="members",
        scope="read",
        paged=True,
    ),
    Managing(
        "GET", "/app/settings", "The app's settings.", answer=admin.SettingsView, scope="read"
    ),
    Managing(
        "PATCH",
        "/app/settings",
        "Change some; null sets one back.",
        AppSettings,
        admin.SettingsView,
    ),
    Managing(
        "GET",
        "/bans",
        "Users who are shut out of the app.",
        answer=moderation.BanView,
        listed="bans",
        scope="read",
        paged=True,
    ),
    Managing(
        "PUT",
        "/users/{user}/ban",
        "Shut a user out: sockets are cut within a second.",
        moderation.BanUser,
        moderation.BanView,
    ),
    Managing("DELETE", "/users/{user}/ban", "Let a user in again.", answer=moderation.LiftedView),
    Managing(
        "GET",
        "/audit",
        "Administrative acts, the newest first.",
        answer=audit.RecordView,
        listed="records",
        paged=True,
        query=(("action", {"type": "string", "maxLength": 64}),),
    ),
    Managing("GET", "/audit/verify", "Whether the trail is as written.", answer=audit.VerdictView),
    Managing("GET", "/key", "The calling key.", answer=admin.OwnKeyView, scope="any"),
    Managing("GET", "/keys", "The app's keys.", answer=admin.KeyView, listed="keys", paged=True),
    Managing("POST", "/keys", "Make a key.", admin.CreateKey, admin.KeyView, status=201),
    Managing("DELETE", "/keys/{key}", "Revoke a key.", answer=admin.KeyView),
    Managing(
        "POST",
        "/keys/{key}/rotate",
        "A new key in the place of one that goes on for a while.",
        admin.RotateKey,
        admin.KeyView,
        status=201,
    ),
    Managing(
        "POST",
        "/tokens",
        "Mint a user's token.",
        admin.CreateToken,
        admin.TokenView,
        status=201,
        scope="tokens",
    ),
    Managing(
        "POST",
        "/tokens/revoke",
        "Take tokens of a `jti` back, and cut their sockets.",
        admin.RevokeToken,
        admin.RevokedTokenView,
        scope="tokens",
    ),
    Managing(
        "GET",
        "/users",
        "The app's users.",
        answer=admin.UserView,
        listed="users",
        scope="read",
        paged=True,
        query=(("query", TEXT),),
    ),
    Managing("GET", "/users/{user}", "One of them.", answer=admin.UserView, scope="read"),
    Managing(
        "POST",
        "/users/{user}/sign-out",
        "Take all of a user's tokens back, and cut their sockets.",
        answer=admin.SignedOutView,
        scope="write",
    ),
    Managing(
        "GET",
        "/apps",
        "Every app.",
        answer=admin.AppView,
        listed="apps",
        scope="operator",
        paged=True,
    ),
    Managing(
        "POST",
        "/apps",
        "Register an app; its first key comes with it.",
        admin.CreateApp,
        admin.CreatedAppView,
        status=201,
        scope="operator",
    ),
    Managing("GET", "/apps/{app}", "One of them.", answer=admin.AppView, scope="operator"),
    Managing(
        "PATCH",
        "/apps/{app}",
        "Change its name and settings.",
        admin.UpdateApp,
        admin.AppView,
        scope="operator",
    ),
    Managing(
        "GET",
        "/apps/{app}/keys",
        "Its keys.",
        answer=admin.KeyView,
        listed="keys",
        scope="operator",
        paged=True,
    ),
    Managing(
        "POST",
        "/apps/{app}/keys",
        "One more key for it.",
        admin.CreateKey,
        admin.KeyView,
        status=201,
        scope="operator",
    ),
    Managing(
        "GET",
        "/users/{user}/devices",
        "A user's devices.",
        answer=admin.DeviceView,
        listed="devices",
        scope="read",
        paged=True,
    ),
    Managing(
        "DELETE",
        "/users/{user}/devices/{device}",
        "Sign a device out.",
        answer=admin.SignedOutDeviceView,
        scope="write",
    ),
    Managing(
        "GET",
        "/usage",
        "What the app used, by day or month.",
        answer=usage.UsageView,
        scope="read",
        query=USAGE_QUERY,
    ),
    Managing(
        "GET", "/plans", "The plans.", answer=usage.PlanView, listed="plans", scope="operator"
    ),
    Managing(
        "GET",
        "/apps/{app}/usage",
        "What an app used.",
        answer=usage.UsageView,
        scope="operator",
        query=USAGE_QUERY,
    ),
    Managing(
        "PUT",
        "/apps/{app}/plan",
        "Give an app a plan.",
        usage.AssignPlan,
        usage.AppPlanView,
        scope="operator",
    ),
    Managing(
        "GET",
        "/webhooks",
        "The app's webhooks.",
        answer=webhooks.WebhookView,
        listed="webhooks",
        paged=True,
    ),
    Managing(
        "POST",
        "/webhooks",
        "Make a webhook.",
        webhooks.CreateWebhook,
        webhooks.WebhookView,
        status=201,
    ),
    Managing(
        "DELETE", "/webhooks/{webhook}", "Remove a webhook.", answer=webhooks.NamedWebhookView
    ),
    Managing(
        "GET",
        "/rooms",
        "Rooms that somebody is in now, by name.",
        answer=live.LiveRoomView,
        listed="rooms",
        scope="read",
        tag="rooms",
        paged=True,
    ),
    Managing(
        "GET",
        "/rooms/{room}",
        "One of them, and who is in it.",
        answer=live.RoomView,
        scope="read",
        tag="rooms",
    ),
    Managing(
        "DELETE",
        "/rooms/{room}/participants/{participant}",
        "Put one out.",
        answer=live.RemovedView,
        scope="write",
        tag="rooms",
    ),
    Managing(
        "POST",
        "/rooms/{room}/participants/{participant}/mute",
        "Mute a track, those of a source, or all.",
        live.MuteWish,
        live.MutedView,
        scope="write",
        tag="rooms",
    ),
    Managing(
        "GET",
        "/users/{user}/presence",
        "How a user is seen by those whom nothing is hidden from.",
        answer=live.PresenceView,
        scope="read",
        tag="users",
    ),
    Managing(
        "POST",
        "/webhooks/{webhook}/enable",
        "Tell one again that failed for a day.",
        answer=webhooks.NamedWebhookView,
    ),
    Managing(
        "GET",
        "/dead-letters",
        "Deliveries that failed for good.",
        answer=webhooks.DeadLetterView,
        listed="dead_letters",
        paged=True,
        query=(("webhook", {"type": "string"}),),
    ),
    Managing(
        "POST",
        "/dead-letters/replay",
        "Deliver all once more.",
        webhooks.ReplayDeadLetters,
        webhooks.ReplayedView,
    ),
    Managing(
        "POST",
        "/dead-letters/{delivery}/replay",
        "Deliver once more.",
        answer=webhooks.NamedDeliveryView,
    ),
    Managing(
        "POST",
        "/users/{user}/export",
        "Ask for an archive of a user's data.",
        answer=privacy.JobView,
        status=202,
    ),
    Managing(
        "POST",
        "/users/{user}/erase",
        "Ask for a user to be forgotten.",
        answer=privacy.JobView,
        status=202,
    ),
    Managing(
        "GET",
        "/jobs",
        "Exports and erasures.",
        answer=privacy.JobView,
        listed="jobs",
        paged=True,
    ),
    Managing("GET", "/jobs/{job}", "One of them.", answer=privacy.JobView),
)
