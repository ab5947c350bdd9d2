"""Apps and keys: shown once, kept sealed, revoked for good."""

import asyncio

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


@pytest.mark.parametrize("turn", range(5))
async def test_a_key_that_is_revoked_while_it_is_rotated_is_dead(
    registry: Registry, key: IssuedKey, turn: int
) -> None:
    """Whichever comes first; and there is no successor of a dead key that nobody was told of."""
    both = [registry.rotate_key(key.key.id, None, 3600), registry.revoke_key(key.key.id)]
    done = await asyncio.gather(*both[:: 1 if turn % 2 else -1], return_exceptions=True)
    assert await registry.live_key(key.key.id) is None
    issued = [one.key.id for one in done if isinstance(one, IssuedKey)]
    refused = [one.code for one in done if isinstance(one, Refused)]
    assert len(issued) + len(refused) == 1
    assert refused in ([], ["conflict"])
    assert [one.id for one in await registry.keys("acme") if one.id != key.key.id] == issued


async def test_a_key_is_rotated_once(registry: Registry, key: IssuedKey) -> None:
    rotations = [registry.rotate_key(key.key.id, None, 3600) for _ in range(4)]
    done = await asyncio.gather(*rotations, return_exceptions=True)
    assert sum(isinstance(one, IssuedKey) for one in done) == 1
    assert len(await registry.keys("acme")) == 2


async def test_only_what_signs_tokens_can_be_read_back(registry: Registry, key: IssuedKey) -> None:
    reader = await registry.create_key("acme", scopes=("read", "write", "admin"))
    assert await registry.authenticate(reader.key.id, reader.secret) == reader.key
    by_id = {kept.id: kept for kept in await registry.keys("acme")}
    assert by_id[reader.key.id].sealed == b""
    assert by_id[key.key.id].sealed
    rotated = await registry.rotate_key(reader.key.id, None, 3600)
    assert rotated.key.sealed == b""
    assert await registry.authenticate(rotated.key.id, rotated.secret) == rotated.key


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


async def test_settings_changed_at_once_are_all_kept(registry: Registry, key: IssuedKey) -> None:
    changes: list[dict[str, object]] = [
        {"slow_mode_ms": 5},
        {"recall_limit_ms": 6},
        {"presence": {"status": "shared"}},
        {"origins": ["https://a.example"]},
    ]
    await asyncio.gather(*(registry.update_app("acme", change) for change in changes))
    kept = (await registry.app("acme")).settings
    assert kept == {name: value for change in changes for name, value in change.items()}
    assert await code_of(registry.update_app("nobody", {"slow_mode_ms": 5})) == "not_found"


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
