"""What a connection to Square is made with: the token, and a network that nothing bends."""

import ssl
from collections.abc import Callable, Generator

import certifi
from pydantic import SecretStr

from loyalty_helpers.errors import SettingsError
from loyalty_helpers.http import httpx


class BearerToken(httpx.Auth):
    """Adds the token to a request. The token stays in a closure: no repr or vars() shows it."""

    def __init__(self, token: SecretStr) -> None:
        if not _is_token(token):
            raise SettingsError(
                "the access token is empty or holds characters that no token of Square has, "
                "such as a space or a newline: copy it again"
            )
        self._header: Callable[[], str] = lambda: f"Bearer {token.get_secret_value()}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx for each request."""
        request.headers["Authorization"] = self._header()
        yield request

    def __repr__(self) -> str:
        return "BearerToken([token])"


def _is_token(secret: SecretStr) -> bool:
    token = secret.get_secret_value()  # in no frame that a traceback could show
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def network() -> httpx.HTTPTransport:
    """The network: certificates are always checked, and no variable from outside has a say.

    Proxies and SSL_CERT_FILE are left aside by trust_env. SSLKEYLOGFILE, which would write down
    the keys of every connection, is honoured by ssl.create_default_context: hence a plain context.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    return httpx.HTTPTransport(verify=context, trust_env=False)
