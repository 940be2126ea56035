"""How kernel functions are compiled, and where the compiled code is kept."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

SETTINGS: Any = numba.config
SOURCES = Path(__file__).parent.parent


def _digest() -> str:
    """Return the fingerprint of the kernel and of every other source that has compiled functions."""
    content = sha256()
    for source in sorted(SOURCES.rglob("*.py")):
        text = source.read_bytes()
        if source.parent == Path(__file__).parent or b"@compiled" in text:
            content.update(text)
    return content.hexdigest()[:16]


CACHE = Path(SETTINGS.CACHE_DIR or SOURCES / "__pycache__") / f"kernels-{_digest()}"
"""Named after the content of the sources: numba itself looks only at the file of the function it
compiles, and would go on running old code when a function that it calls has changed in another file."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call, keep the result on disk; with NUMBA_DISABLE_JIT=1 it is ordinary Python."""
    shared = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = str(CACHE)
    try:
        return cast("Callable[P, R]", numba.njit(cache=True)(function))
    except RuntimeError:  # nowhere to keep it: compile anew each time
        return cast("Callable[P, R]", numba.njit(function))
    finally:
        SETTINGS.CACHE_DIR = shared
