"""How payloads lie in the journal's file: short ones as text, others compressed against what they repeat."""

import zlib

_SHORT = 400
"""Characters up to which a payload stays text, for whoever opens the file with other tools."""


def pack(payload: str, base: str | None) -> str | bytes:
    """Return what is stored. ``base`` is an earlier payload that this one repeats most of, as a position
    does its plan: then little more than the difference is left."""
    if len(payload) <= _SHORT:
        return payload
    packer = zlib.compressobj(zdict=base.encode()) if base else zlib.compressobj()
    return packer.compress(payload.encode()) + packer.flush()


def unpack(stored: str | bytes, base: str | None) -> str:
    """Return the payload. Raises ``ValueError`` where it, or its base, is not what was written."""
    if isinstance(stored, str):
        return stored
    unpacker = zlib.decompressobj(zdict=base.encode()) if base else zlib.decompressobj()
    try:
        payload = unpacker.decompress(stored) + unpacker.flush()
    except (zlib.error, TypeError) as error:  # a damaged file may hold a number here
        raise ValueError(f"a payload is damaged ({error})") from error
    if not unpacker.eof:
        raise ValueError("a payload is damaged (cut short)")
    return payload.decode()
