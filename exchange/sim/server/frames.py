"""WebSocket text frames, encoded once and sent to every reader as they are."""

_TEXT = 0x81  # final frame, text
_SHORT, _MEDIUM = 126, 1 << 16


def text_frame(payload: bytes) -> bytes:
    """Return an unmasked text frame (RFC 6455 §5.2)."""
    length = len(payload)
    if length < _SHORT:
        return bytes((_TEXT, length)) + payload
    if length < _MEDIUM:
        return bytes((_TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + length.to_bytes(8, "big") + payload


def wrapped(stream: str, payload: bytes) -> bytes:
    """Return the payload as combined streams carry it."""
    return b'{"stream":"%b","data":%b}' % (stream.encode(), payload)
