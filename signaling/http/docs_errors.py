"""What each code of a refusal means, in words."""

from signaling.errors import Code

MEANINGS: dict[Code, str] = {
    "bad_request": "The payload does not fit; the message names the field.",
    "unauthorized": "No valid token or key, or it ended. Get a new one.",
    "forbidden": "Not with this role, these grants or this scope.",
    "not_found": "No such thing, or not for you.",
    "conflict": "The same client_id with another payload, or a state that forbids it.",
    "too_large": "A body, file or packet over its limit.",
    "rate_limited": "Too fast; retry_after_ms says when to go on.",
    "quota_exceeded": "The app's plan is used up.",
    "unavailable": "A store, broker or node is away. Try again.",
    "timeout": "No answer in time; it may have happened. Resend with the same client_id.",
    "unsupported": "Not offered by this server.",
    "internal": "Our mistake; it is logged with the number the message carries.",
}
