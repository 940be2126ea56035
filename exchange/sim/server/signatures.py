"""Who is calling, and have they signed it: API keys, HMAC-SHA256 and Ed25519, timestamps."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from exchange.sim.server import refusals
from exchange.sim.server.weights import Params

_AHEAD_MS = 1000
_DEFAULT_WINDOW_MS = 5000
_LONGEST_WINDOW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """One API key of an account: an HMAC secret, or the public half of an Ed25519 pair."""

    account: str
    secret: str | Ed25519PublicKey

    def accepts(self, payload: bytes, signature: str) -> bool:
        if isinstance(self.secret, str):
            expected = hmac.new(self.secret.encode(), payload, hashlib.sha256).hexdigest()
            return hmac.compare_digest(expected.encode(), signature.lower().encode())
        try:
            self.secret.verify(base64.b64decode(signature, validate=True), payload)
        except (InvalidSignature, binascii.Error):
            return False
        return True


def ed25519_key(pem: str) -> Ed25519PublicKey:
    """Read the public half of a pair. Raises ``ValueError`` for anything else."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")  # noqa: TRY004
    return key


class KeyRing:
    """Every API key that the exchange has given out."""

    def __init__(self) -> None:
        self._keys: dict[str, Credentials] = {}

    def add(self, api_key: str, credentials: Credentials) -> None:
        self._keys[api_key] = credentials

    def identify(self, api_key: str | None) -> Credentials:
        """Return whose key this is. Raises ``Refusal`` -2014 or -2015."""
        if not api_key or not api_key.isalnum():
            raise refusals.bad_key_format()
        if api_key not in self._keys:
            raise refusals.unknown_key()
        return self._keys[api_key]


def check_signed(credentials: Credentials, params: Params, *, query: str, body: str, machine_ms: int) -> None:
    """Raise ``Refusal`` unless the call is timely and its query and body, run together, are signed."""
    _check_time(params, machine_ms)
    if not params.get("signature"):
        raise refusals.missing("signature")
    payload = _without_signature(query) + _without_signature(body)
    if not credentials.accepts(payload.encode(), params["signature"]):
        raise refusals.bad_signature()


def _check_time(params: Params, machine_ms: int) -> None:
    timestamp = _whole(params, "timestamp", None)
    window = _whole(params, "recvWindow", _DEFAULT_WINDOW_MS)
    if window > _LONGEST_WINDOW_MS:
        raise refusals.Refusal(-1131, "recvWindow must be less than 60000")
    if timestamp > machine_ms + _AHEAD_MS:
        raise refusals.ahead_of_server()
    if timestamp < machine_ms - window:
        raise refusals.outside_window()


def _whole(params: Params, name: str, default: int | None) -> int:
    text = params.get(name, "")
    if not text and default is not None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise refusals.missing(name)
    return int(text)


def _without_signature(encoded: str) -> str:
    return "&".join(pair for pair in encoded.split("&") if not pair.startswith("signature="))
