"""A small program, which is checked and not run: what a type checker sees of the package."""

import keyless


def token_of(audience: str | None) -> str:
    return audience or ""


async def later(audience: str | None) -> str:
    return audience or ""


def main() -> None:
    grant = keyless.Grant.of(["POST https://auth.openai.com/oauth/token"], ["/var/run/secrets/tokens/token"])
    with keyless.open({"api_key": "k"}, grant=grant, source=token_of) as connection:
        token: str = connection.token(within=1.5)
        headers: dict[str, str] = connection.headers()
        held: keyless.Credential | None = connection.current()
        ends: float | None = held.expires_at if held else None
        print(len(token), sorted(headers), ends, connection.status().phase)
    try:
        keyless.open("@connection.json", source=later)
    except keyless.InvalidError as error:
        print(error.code, error.retry_after)


async def on_a_loop() -> str:
    async with await keyless.open_async(lock="keyless.lock") as connection:
        return await connection.token_async()
