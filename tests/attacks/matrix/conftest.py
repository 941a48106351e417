"""The benches of `tests/homeserver`, for attacks."""

from tests.homeserver.conftest import desk, link, new_hub, new_proxied

__all__ = ["desk", "link", "new_hub", "new_proxied"]
