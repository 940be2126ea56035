"""Who may call: keys, signatures over query and body, and clocks."""

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.sim.server.refusals import Refusal
from exchange.sim.server.signatures import Credentials, KeyRing, check_signed

NOW = 1_700_000_000_000


def sign(text: str) -> str:
    return hmac.new(b"s", text.encode(), hashlib.sha256).hexdigest()


def check(*, query: str = "", body: str = "", signature: str, who: Credentials | None = None) -> None:
    pairs = dict(pair.split("=", 1) for pair in f"{query}&{body}".split("&") if pair)
    check_signed(
        who or Credentials("me", "s"),
        pairs | {"signature": signature},
        query=query,
        body=body,
        machine_ms=NOW,
    )


def code_of(*, query: str, signature: str) -> int:
    with pytest.raises(Refusal) as refused:
        check(query=query, signature=signature)
    return refused.value.code


@pytest.mark.parametrize(
    ("query", "body"), [(f"timestamp={NOW}", ""), ("", f"timestamp={NOW}&b=2"), ("a=1", f"timestamp={NOW}")]
)
def test_query_and_body_are_signed_together(query: str, body: str) -> None:
    check(query=query, body=body, signature=sign(query + body))


def test_a_changed_parameter_breaks_the_signature() -> None:
    query = f"quantity=1&timestamp={NOW}"
    assert code_of(query=query.replace("quantity=1", "quantity=9"), signature=sign(query)) == -1022


@pytest.mark.parametrize("late", [5001, 100_000])
def test_a_late_call_is_refused(late: int) -> None:
    query = f"timestamp={NOW - late}"
    assert code_of(query=query, signature=sign(query)) == -1021


def test_a_call_from_the_future_is_refused() -> None:
    query = f"timestamp={NOW + 1001}"
    assert code_of(query=query, signature=sign(query)) == -1021


def test_a_wider_window_forgives_a_later_call() -> None:
    query = f"timestamp={NOW - 9000}&recvWindow=10000"
    check(query=query, signature=sign(query))


@pytest.mark.parametrize("timestamp", ["", "abc", "1e3", "-1", "١٢٣", "9" * 40])
def test_a_timestamp_must_be_a_number(timestamp: str) -> None:
    query = f"timestamp={timestamp}"
    assert code_of(query=query, signature=sign(query)) == -1102


def test_an_ed25519_key_signs_as_well() -> None:
    private = Ed25519PrivateKey.generate()
    query = f"timestamp={NOW}"
    signature = base64.b64encode(private.sign(query.encode())).decode()
    check(query=query, signature=signature, who=Credentials("me", private.public_key()))
    with pytest.raises(Refusal, match="Signature"):
        check(query=query, signature=sign(query), who=Credentials("me", private.public_key()))


@pytest.mark.parametrize(("key", "code"), [(None, -2014), ("", -2014), ("a b", -2014), ("unknown", -2015)])
def test_keys_are_told_apart(key: str | None, code: int) -> None:
    ring = KeyRing()
    ring.add("known", Credentials("me", "s"))
    with pytest.raises(Refusal) as refused:
        ring.identify(key)
    assert refused.value.code == code
    assert ring.identify("known").account == "me"
