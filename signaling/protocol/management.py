"""REST paths for an app's server, which are no requests of the wire."""

from dataclasses import dataclass

import msgspec

from signaling.protocol import admin, privacy, usage, webhooks
from signaling.protocol.rest import Method


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


MANAGEMENT = (
    Managing("GET", "/app", "The calling key's app.", answer=admin.AppView),
    Managing("PATCH", "/app", "Change the app's settings.", admin.UpdateApp, admin.AppView),
    Managing("GET", "/keys", "The app's keys.", answer=admin.KeyView, listed="keys"),
    Managing("POST", "/keys", "Make a key.", admin.CreateKey, admin.KeyView, status=201),
    Managing("DELETE", "/keys/{key}", "Revoke a key.", answer=admin.KeyView),
    Managing(
        "POST", "/tokens", "Mint a user's token.", admin.CreateToken, admin.TokenView, status=201
    ),
    Managing(
        "GET",
        "/users/{user}/devices",
        "A user's devices.",
        answer=admin.DeviceView,
        listed="devices",
    ),
    Managing("DELETE", "/users/{user}/devices/{device}", "Sign a device out."),
    Managing("GET", "/usage", "What the app used, by day or month.", answer=usage.UsageView),
    Managing("GET", "/plans", "The plans.", answer=usage.PlanView, listed="plans"),
    Managing("GET", "/apps/{app}/usage", "What an app used.", answer=usage.UsageView),
    Managing("PUT", "/apps/{app}/plan", "Give an app a plan.", usage.AssignPlan, usage.AppPlanView),
    Managing(
        "GET", "/webhooks", "The app's webhooks.", answer=webhooks.WebhookView, listed="webhooks"
    ),
    Managing(
        "POST",
        "/webhooks",
        "Make a webhook.",
        webhooks.CreateWebhook,
        webhooks.WebhookView,
        status=201,
    ),
    Managing("DELETE", "/webhooks/{webhook}", "Remove a webhook."),
    Managing(
        "GET",
        "/dead-letters",
        "Deliveries that failed for good.",
        answer=webhooks.DeadLetterView,
        listed="dead_letters",
    ),
    Managing(
        "POST",
        "/dead-letters/replay",
        "Deliver all once more.",
        webhooks.ReplayDeadLetters,
        webhooks.ReplayedView,
    ),
    Managing("POST", "/dead-letters/{delivery}/replay", "Deliver once more."),
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
    Managing("GET", "/jobs", "Exports and erasures.", answer=privacy.JobView, listed="jobs"),
    Managing("GET", "/jobs/{job}", "One of them.", answer=privacy.JobView),
)
