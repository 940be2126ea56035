"""Which connection carries which stream, when both come and go."""

from collections.abc import Collection, Iterable, Sequence

STREAMS_A_CONNECTION = 200


def allotted(
    carried: Iterable[Sequence[str]], wanted: Collection[str], *, room: int = STREAMS_A_CONNECTION
) -> list[tuple[str, ...]]:
    """Return what each connection carries from now on: those there are, in their order, then new ones.

    A stream stays where it is. New ones fill what has room, ``room`` at most; an old connection may be left
    with none.
    """
    kept = [[name for name in names if name in wanted] for names in carried]
    known = {name for names in kept for name in names}
    waiting = [name for name in wanted if name not in known]
    for names in kept:
        free = room - len(names)
        names.extend(waiting[:free])
        waiting = waiting[free:]
    fresh = [waiting[start : start + room] for start in range(0, len(waiting), room)]
    return [tuple(names) for names in (*kept, *fresh)]
