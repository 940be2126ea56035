"""How much memory this process has used at most."""

import sys


def peak_rss_mb() -> float | None:
    """Return the peak resident size in MB, ``None`` on a system that does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
