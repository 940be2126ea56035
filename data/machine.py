"""What the operating system says of this process and of the disk it writes to."""

import os
import shutil
import sys
from pathlib import Path

_STATM = Path("/proc/self/statm")


class ThisMachine:
    """The machine we run on; see ``services.vital_signs`` for the port."""

    def __init__(self, folder: Path) -> None:
        """``folder`` lies on the disk in question."""
        self._folder = folder

    def memory_bytes(self) -> int | None:
        """Return the resident size of this process, its peak on macOS; ``None`` where it can not be told."""
        if _STATM.exists():
            return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        if sys.platform == "darwin":
            import resource

            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return None

    def disk_used(self) -> float:
        """Return the share of the disk that is used, of what may be used without being root."""
        disk = shutil.disk_usage(self._folder)
        return disk.used / (disk.used + disk.free)
