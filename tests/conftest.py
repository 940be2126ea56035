"""What holds for every test: no other machine, no deadline on a shared processor, decimals untouched."""

import decimal
import sys
from collections.abc import Generator
from ipaddress import ip_address

import hypothesis
import pytest

hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_this_machine(host):
        raise ConnectionRefusedError(f"a test may not reach {host!r}")


def _is_this_machine(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return isinstance(name, str) and (ip_address(name).is_loopback or ip_address(name).is_unspecified)
    except ValueError:
        return False


sys.addaudithook(_refuse_other_machines)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Undo what a test did to decimals: ccxt's ``decimal_to_precision`` changes its caller's rounding."""
    with decimal.localcontext(decimal.DefaultContext):
        return (yield)
