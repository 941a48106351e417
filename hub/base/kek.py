"""The key-encryption key that the configuration names. Opening never makes one: a missing key is said and nothing is taken (R10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.base.sections import Keys
from keys.errors import ProviderError
from keys.kek import KekProvider
from keys.providers.file import FileKek, read_private

if TYPE_CHECKING:
    from keys.providers.pkcs11 import Pkcs11Kek


def open_kek(keys: Keys) -> KekProvider:
    """Open the provider. Raises `ProviderError` with what to do when it is absent, closed or unsafe. May block: not on the event loop."""
    if keys.provider == "credential":
        return FileKek.credential(keys.credential)
    if keys.provider == "pkcs11":
        kek, given = pkcs11_of(keys)
        return kek.open(**given)
    if keys.provider == "vault":
        return _vault(keys)
    return FileKek.open(keys.kek_file)


def pkcs11_of(keys: Keys) -> tuple[type[Pkcs11Kek], dict[str, Any]]:
    """The provider for tokens and what `open` and `create` take. Raises `ProviderError` `kek.unset`, `kek.no_library`."""
    if keys.pkcs11_module is None or keys.pin_file is None:
        raise ProviderError("`keys.pkcs11_module` and `keys.pin_file` are not set", code="kek.unset")
    try:
        from keys.providers.pkcs11 import Pkcs11Kek as Found  # an optional extra
    except ImportError:
        raise ProviderError("this hub was installed without its extra `pkcs11`", code="kek.no_library") from None
    pin = read_private(keys.pin_file, "file of the token's PIN").decode("ascii", "replace").strip()
    return Found, {"module": keys.pkcs11_module, "token": keys.pkcs11_token, "key": keys.pkcs11_key, "pin": pin}


def _vault(keys: Keys) -> KekProvider:
    if not keys.vault_url or keys.token_file is None:
        raise ProviderError("`keys.vault_url` and `keys.token_file` are not set", code="kek.unset")
    from keys.providers.vault import VaultKek

    token = read_private(keys.token_file, "file of Vault's token").decode("ascii", "replace").strip()
    return VaultKek.open(keys.vault_url, mount=keys.vault_mount, key=keys.vault_key, token=token)
