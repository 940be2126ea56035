"""By which we know our own orders again: ids derived from the position, its role and the attempt."""

from hashlib import blake2b

from core.orders import Role

CLIENT_ID_PREFIX = "ps-"


def client_order_id(position_id: str, role: Role, attempt: int) -> str:
    """Derive an order's id from its position, so that after a crash we know our own orders again."""
    return f"{position_tag(position_id)}-{role}{attempt}"


def position_tag(position_id: str) -> str:
    """Return what the client ids of all orders of one position begin with."""
    return CLIENT_ID_PREFIX + blake2b(position_id.encode(), digest_size=9).hexdigest()


def tag_of(order_id: str) -> str | None:
    """Tell which position an order is for by its tag; ``None`` when the id is not one we made."""
    return order_id.rpartition("-")[0] if role_of(order_id) is not None else None


def role_of(order_id: str) -> Role | None:
    """Tell what an order of ours is for; ``None`` when the id is not one we made."""
    if not order_id.startswith(CLIENT_ID_PREFIX):
        return None
    letter = order_id.rpartition("-")[2][:1]
    return Role(letter) if letter in set(Role) else None
