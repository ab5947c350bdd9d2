"""Apps and keys: shown once, kept sealed, revoked for good."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signaling.auth.registry import IssuedKey, Registry
from signaling.auth.sealing import MasterKey
from signaling.errors import Refused


async def code_of(awaitable: object) -> str:
    with pytest.raises(Refused) as refused:
        await awaitable  # type: ignore[misc]
    return refused.value.code


async def test_an_app_id_is_taken_once(registry: Registry) -> None:
    made = await registry.create_app("Acme", "acme")
    assert await registry.app("acme") == made
    assert await code_of(registry.create_app("Other", "acme")) == "conflict"
    assert [app.id for app in await registry.apps()] == ["acme"]


@pytest.mark.parametrize("app", ["", "A", "a:b", "a b", "-a", "a" * 64, "ä", "a\n"])
async def test_app_ids_have_one_shape(registry: Registry, app: str) -> None:
    assert await code_of(registry.create_app("Acme", app)) == "bad_request"


async def test_the_secret_is_not_kept_in_the_clear(registry: Registry, key: IssuedKey) -> None:
    (kept,) = await registry.keys("acme")
    assert key.secret.encode() not in kept.sealed + kept.digest
    assert registry.signing_secret(kept) == key.secret


async def test_credentials_are_the_id_and_the_secret(registry: Registry, key: IssuedKey) -> None:
    assert (await registry.authenticate(key.key.id, key.secret)).app == "acme"
    assert await code_of(registry.authenticate(key.key.id, "wrong")) == "unauthorized"
    assert await code_of(registry.authenticate("key-none", key.secret)) == "unauthorized"


async def test_a_revoked_key_is_dead(registry: Registry, key: IssuedKey) -> None:
    first = await registry.revoke_key(key.key.id)
    assert (await registry.revoke_key(key.key.id)).revoked_at == first.revoked_at
    assert await registry.live_key(key.key.id) is None
    assert await code_of(registry.authenticate(key.key.id, key.secret)) == "unauthorized"


async def test_an_app_cannot_revoke_anothers_key(registry: Registry, key: IssuedKey) -> None:
    assert await code_of(registry.revoke_key(key.key.id, app="other")) == "not_found"
    assert await registry.live_key(key.key.id) is not None


async def test_scopes_are_known_words(registry: Registry, key: IssuedKey) -> None:
    assert await code_of(registry.create_key("acme", scopes=("fly",))) == "bad_request"
    assert await code_of(registry.create_key("acme", scopes=())) == "bad_request"
    assert await code_of(registry.create_key("nobody")) == "not_found"


async def test_another_master_key_says_so(registry: Registry, key: IssuedKey) -> None:
    registry._master = MasterKey("another master key, set by mistake")
    with pytest.raises(Refused, match="another master key"):
        registry.signing_secret(key.key)


def jwk(**changes: object) -> dict[str, object]:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    made = jwt.get_algorithm_by_name("ES256").to_jwk(public, as_dict=True)
    return {**made, **changes}


async def test_settings_are_replaced_by_name(registry: Registry, key: IssuedKey) -> None:
    jwks = {"keys": [jwk()]}
    await registry.update_app("acme", {"jwks": jwks, "slow_mode_ms": 5})
    changed = await registry.update_app("acme", {"slow_mode_ms": None})
    assert changed.settings == {"jwks": jwks}
    assert await registry.app("acme") == changed


@pytest.mark.parametrize(
    "jwks",
    [
        [],
        "keys",
        {"keys": 1},
        {"keys": [1]},
        {"keys": [{}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [{"kty": "EC"}]},
        {"keys": [jwk(d="AQAB")]},
        {"keys": [jwk(x="AQAB")]},
        {"keys": [jwk(alg="HS256")]},
        {"keys": [jwk()] * 17},
    ],
)
async def test_key_sets_that_could_not_verify_are_refused(
    registry: Registry, key: IssuedKey, jwks: object
) -> None:
    assert await code_of(registry.update_app("acme", {"jwks": jwks})) == "bad_request"
    assert await code_of(registry.create_app("Other", "other", {"jwks": jwks})) == "bad_request"


async def test_settings_are_bounded(registry: Registry, key: IssuedKey) -> None:
    assert await code_of(registry.update_app("acme", {"x": "y" * 65_536})) == "too_large"
