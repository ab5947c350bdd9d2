"""Tokens: what is accepted, and everything that is not."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth.registry import IssuedKey, Registry
from signaling.auth.tokens import Claims, Tokens
from signaling.errors import Refused
from signaling.model import Grants
from tests.signaling.auth.conftest import NOW_S, Clock

DAY_S = 24 * 3600


def signed(key: IssuedKey, **changes: Any) -> str:
    claims = {"iss": key.key.id, "sub": "alice", "exp": NOW_S + 60, **changes}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key.secret)


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def refusal(tokens: Tokens, token: Any) -> str:
    with pytest.raises(Refused) as refused:
        await tokens.verify(token)
    assert refused.value.code == "unauthorized"
    return refused.value.message


async def test_a_minted_token_is_accepted(tokens: Tokens, key: IssuedKey) -> None:
    grants = Grants(rooms=("lobby-*",), publish=False)
    token = await tokens.mint(
        key.key.id, "alice", name="Alice", device="phone", grants=grants, jti="j1"
    )
    claims = await tokens.verify(token)
    assert claims == Claims(
        app="acme",
        user="alice",
        name="Alice",
        device="phone",
        jti="j1",
        key=key.key.id,
        grants=grants,
        issued_at=NOW_S * 1000,
        expires_at=(NOW_S + 3600) * 1000,
    )


async def test_a_token_of_any_jwt_library_is_accepted(tokens: Tokens, key: IssuedKey) -> None:
    claims = await tokens.verify(signed(key, name="A\u0000l\nice "))
    assert (claims.user, claims.name, claims.grants) == ("alice", "Alice", Grants())
    nameless = await tokens.verify(signed(key))
    assert nameless.name is None
    assert nameless.identity("c1", "phone").name == "alice"


async def test_an_expired_token_is_refused(tokens: Tokens, key: IssuedKey, clock: Clock) -> None:
    token = signed(key)
    await tokens.verify(token)
    clock.now_s += 60 + 31
    assert "expired" in await refusal(tokens, token)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": None}, "lacks `exp`"),
        ({"exp": NOW_S + DAY_S + 60}, "24 hours"),
        ({"exp": "tomorrow"}, "`exp` must be"),
        ({"exp": True}, "`exp` must be"),
        ({"exp": float("nan")}, "`exp` must be"),
        ({"exp": 10**400}, "`exp` must be"),
        ({"nbf": NOW_S + 60}, "not valid yet"),
        ({"iat": NOW_S + 60}, "not valid yet"),
        ({"sub": None}, "lacks `sub`"),
        ({"sub": ""}, "`sub`"),
        ({"sub": "a b"}, "`sub`"),
        ({"sub": "a\u0000"}, "`sub`"),
        ({"sub": "a" * 129}, "`sub`"),
        ({"device": 7}, "`device`"),
        ({"jti": ["x"]}, "malformed"),
        ({"grants": "all"}, "grants"),
    ],
)
async def test_wrong_claims_are_refused(
    tokens: Tokens, key: IssuedKey, changes: dict[str, Any], message: str
) -> None:
    assert message in await refusal(tokens, signed(key, **changes))


async def test_a_foreign_secret_is_refused(tokens: Tokens, key: IssuedKey) -> None:
    foreign = IssuedKey(key=key.key, secret="x" * 43)
    assert "signature" in await refusal(tokens, signed(foreign))


async def test_a_key_of_another_app_gives_another_app(
    tokens: Tokens, registry: Registry, key: IssuedKey
) -> None:
    await registry.create_app("Other", "other")
    other = await registry.create_key("other")
    assert (await tokens.verify(signed(other))).app == "other"
    crossed = jwt.encode({"iss": key.key.id, "sub": "a", "exp": NOW_S + 60}, other.secret)
    assert "signature" in await refusal(tokens, crossed)


async def test_alg_none_is_refused(tokens: Tokens, key: IssuedKey) -> None:
    body = part({"iss": key.key.id, "sub": "alice", "exp": NOW_S + 60})
    for word in ("none", "None", "NONE", ""):
        token = f"{part({'alg': word, 'typ': 'JWT'})}.{body}."
        await refusal(tokens, token)
    signature = signed(key).split(".")[2]
    await refusal(tokens, f"{part({'alg': 'none'})}.{body}.{signature}")


async def test_a_revoked_key_signs_nothing(
    tokens: Tokens, registry: Registry, key: IssuedKey
) -> None:
    token = signed(key)
    await registry.revoke_key(key.key.id)
    assert "unknown or revoked" in await refusal(tokens, token)


async def test_a_key_without_the_scope_signs_nothing(tokens: Tokens, registry: Registry) -> None:
    await registry.create_app("Acme", "acme")
    reader = await registry.create_key("acme", scopes=("read",))
    assert "unknown or revoked" in await refusal(tokens, signed(reader))
    with pytest.raises(Refused, match="may not sign"):
        await tokens.mint(reader.key.id, "alice")


def public_keys() -> dict[str, Any]:
    return {
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }


def jwk_of(algorithm: str, private: Any) -> dict[str, Any]:
    made: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(
        private.public_key(), as_dict=True
    )
    return made | {"kid": algorithm, "alg": algorithm}


async def test_own_key_pairs_are_accepted_and_never_confused(
    tokens: Tokens, registry: Registry, key: IssuedKey
) -> None:
    privates = public_keys()
    jwks = {"keys": [jwk_of(algorithm, private) for algorithm, private in privates.items()]}
    await registry.create_app("Pairs", "pairs", {"jwks": jwks})
    claims = {"iss": "pairs", "sub": "bob", "exp": NOW_S + 60}
    for algorithm, private in privates.items():
        token = jwt.encode(claims, private, algorithm=algorithm, headers={"kid": algorithm})
        assert (await tokens.verify(token)).app == "pairs"
        without_kid = jwt.encode(claims, private, algorithm=algorithm)
        assert (await tokens.verify(without_kid)).user == "bob"
        other_kid = jwt.encode(claims, private, algorithm=algorithm, headers={"kid": "x"})
        assert "no " in await refusal(tokens, other_kid)
        # An app without a key set accepts none of them.
        await refusal(tokens, jwt.encode(claims | {"iss": "acme"}, private, algorithm=algorithm))


@pytest.mark.parametrize("iss", ["pairs", "key"])
async def test_alg_confusion_is_refused(
    tokens: Tokens, registry: Registry, key: IssuedKey, iss: str
) -> None:
    """The public key, as its file reads, is no HMAC secret (RFC 8725, 2.1)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwks = {"keys": [jwk_of("RS256", private)]}
    await registry.create_app("Pairs", "pairs", {"jwks": jwks})
    own = await registry.create_key("pairs")
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": own.key.id if iss == "key" else "pairs", "sub": "eve", "exp": NOW_S + 60}
    body = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    hmac = jwt.get_algorithm_by_name("HS256")
    signature = hmac.sign(body.encode(), pem)  # type: ignore[arg-type]
    await refusal(tokens, f"{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}")


async def test_revocation_is_asked(registry: Registry, key: IssuedKey, clock: Clock) -> None:
    class Revoked:
        async def revoked(self, claims: Claims) -> bool:
            return claims.jti == "bad"

    tokens = Tokens(registry, Revoked(), clock)
    assert (await tokens.verify(signed(key, jti="good"))).jti == "good"
    assert "revoked" in await refusal(tokens, signed(key, jti="bad"))


async def test_a_token_for_a_device_is_for_no_other(tokens: Tokens, key: IssuedKey) -> None:
    claims = await tokens.verify(signed(key, device="phone"))
    assert claims.identity("c1", "phone").device == "phone"
    with pytest.raises(Refused, match="another device"):
        claims.identity("c1", "laptop")


@pytest.mark.parametrize("lifetime_s", [0, -1, DAY_S + 1])
async def test_minting_keeps_the_limit(tokens: Tokens, key: IssuedKey, lifetime_s: int) -> None:
    with pytest.raises(Refused, match="lives"):
        await tokens.mint(key.key.id, "alice", lifetime_s=lifetime_s)


@pytest.mark.parametrize(
    "token",
    [None, 7, b"x", "", "x", "a.b.c", "..", "x" * 9000, "[" * 8000, {"token": "x"}, "é.é.é"],
)
async def test_junk_is_refused(tokens: Tokens, token: Any) -> None:
    await refusal(tokens, token)


async def test_deep_json_is_refused(tokens: Tokens) -> None:
    deep = urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    await refusal(tokens, f"{deep}.{deep}.x")
    await refusal(tokens, f"{part({'alg': 'HS256'})}.{deep}.x")


@pytest.mark.parametrize("body", [[], "text", None, {"iss": 7}, {"iss": "\ud800"}, {"iss": "\0"}])
async def test_what_announces_no_issuer_is_refused(tokens: Tokens, body: Any) -> None:
    """Also by one that no database can be asked for."""
    await refusal(tokens, f"{part({'alg': 'HS256'})}.{part(body)}.x")
    await refusal(tokens, f"{part(body)}.{part({'iss': 'key'})}.x")


class NoApps:
    """No app and no key is known: whatever the token says, only words come back."""

    async def get(self, app: str) -> None:
        return None

    async def key(self, key: str) -> None:
        return None


@given(
    st.one_of(
        st.text(max_size=200),
        st.builds(
            lambda head, body: f"{part(head)}.{part(body)}.AAAA",
            st.dictionaries(
                st.sampled_from(["alg", "kid", "typ", "crit", "b64"]),
                st.integers() | st.text() | st.sampled_from(["HS256", "RS256", "none"]),
            ),
            st.dictionaries(st.sampled_from(["iss", "sub", "exp"]), st.integers() | st.text()),
        ),
    )
)
async def test_nothing_but_refused_escapes(token: str) -> None:
    registry = Registry(NoApps(), None)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        await Tokens(registry).verify(token)
