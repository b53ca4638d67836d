"""Documents put together at random, always the same ones for a seed: every way of writing one, with every setting, and
now and then something odd. What is odd names the rule of differences.json that it may fall under.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

from documents import Document

SEED = 1
COUNT = 400



class Choice(NamedTuple):
    """A value for a setting."""

    value: object
    usual: bool
    # Under which the two sides may differ.
    rule: str | None = None


def usual(*values: object) -> list[Choice]:
    """Values that people write."""
    return [Choice(value, usual=True) for value in values]


def strange(*values: object) -> list[Choice]:
    """Values that few people write, and that both sides have to read alike all the same."""
    return [Choice(value, usual=False) for value in values]


def odd(rule: str, *values: object) -> list[Choice]:
    """Values that fall under a rule."""
    return [Choice(value, usual=False, rule=rule) for value in values]


KEYS = (
    usual("sk-1", "sk-proj-A_b-9", "a/b:c@d", "a%2Fb", "a+b", "a#b?c&d=e")
    + strange("\u00fc", "a\nb")
    + odd("white-space-around", " k", "k\n")
)
HOSTS = (
    usual("https://api.example", "https://API.example/v1", "http://127.0.0.1:8080/v1", "https://h:8443/a/b/")
    + strange("h.example", "h:1", "ftp://h")
    + odd("base-url-with-more", "https://h/v1?a=b", "https://u:p@h/v1")
)
LOGINS = usual("me", "a@b") + strange("\u00fc:/", "")
SCHEMAS = usual("v1", "a/b") + strange("\u00fc ?", "")
PORTS = usual(443, "443", 65535) + strange("https", None) + odd("port-of-no-use", 99999, 1.5)
TEXTS = usual("x", "https://a.example/b?c=d&e", "spiffe://a") + strange("a b", "\u00fc/%2F+")
NULL = odd("null-is-absent", None)
EMPTY = odd("empty-setting", "")
OTHER_TYPE = odd("wrong-type", 7, True)
IDENTIFIERS = (
    usual("idp_1", "svc_acct_1")
    + strange("a b/\u00fc+%")
    + odd("empty-identifier", "", None)
    + odd("wrong-type", 7, ["a"])
)
SETTINGS: dict[str, list[Choice]] = {
    "token_file_path": TEXTS + odd("empty-path", "") + NULL,
    "resource": TEXTS + EMPTY + OTHER_TYPE + NULL,
    "object_id": TEXTS + EMPTY + OTHER_TYPE + strange(None),
    "client_id": TEXTS + EMPTY + OTHER_TYPE + strange(None),
    "msi_res_id": TEXTS + EMPTY + OTHER_TYPE + strange(None),
    "api_version": usual("2018-02-01", "2025-01-01") + EMPTY + OTHER_TYPE + NULL,
    "audience": TEXTS + EMPTY + OTHER_TYPE + NULL,
    "refresh_buffer_seconds": usual(300, 0, 0.25, 1200)
    + strange("soon")
    + odd("number-as-text", "300", "0.5")
    + odd("buffer-out-of-range", -5)
    + NULL,
    "token_type": usual("jwt", "id"),
}
OF_PROVIDER = {
    "kubernetes": ["token_file_path"],
    "azure": ["resource", "object_id", "client_id", "msi_res_id", "api_version"],
    "gcp": ["audience"],
}
ARGUMENTS: dict[str, list[Choice]] = {
    "api_key": KEYS + strange("", None) + odd("wrong-type", 7),
    "base_url": HOSTS + strange("", None) + odd("wrong-type", 0),
    "organization": usual("org-1") + strange(None, 7) + EMPTY + odd("spaces-inside", "a b"),
    "project": usual("proj_1") + strange(None, "\u00fc") + EMPTY,
    "default_headers": usual({"X-Team": "a b", "x-run": "1"}, {})
    + strange({"X-A": 1}, None)
    + odd("reserved-header", {"Host": "h"}),
    "timeout": usual(30, 0.5) + strange(None),
    "max_retries": usual(0, 3) + odd("client-setting-unchecked", "3"),
}
VARIABLES: dict[str, list[Choice]] = {
    "OPENAI_API_KEY": usual("env-key"),
    "OPENAI_BASE_URL": usual("https://env/v1") + odd("empty-variable", ""),
    "OPENAI_ORG_ID": usual("env-o") + odd("empty-variable", ""),
    "OPENAI_PROJECT_ID": usual("env-p") + odd("white-space-around", "p "),
}


def generated() -> Iterator[Document]:
    """`COUNT` of them."""
    random = Random(SEED)
    for _ in range(COUNT):
        yield Draft(random).document()


class Draft:
    """One document in the making."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._rules: set[str] = set()

    def document(self) -> Document:
        """The finished document."""
        variables = {name: self.choose(values) for name, values in VARIABLES.items() if self.chance(0.12)}
        fields, extra = self.fields(), self.extra()
        write = self._random.choice([self.as_json, self.as_json, self.flat_uri, self.flat_uri, self.nested_uri])
        text = write(fields, extra)
        return Document(text, {name: str(value) for name, value in variables.items()}, frozenset(self._rules))

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def choose(self, values: list[Choice]) -> object:
        """A value that people write, or now and then any."""
        choice = self._random.choice(values if self.chance(0.1) else [each for each in values if each.usual])
        if choice.rule is not None:
            self._rules.add(choice.rule)
        return choice.value

    def fields(self) -> dict[str, object]:
        given: dict[str, list[Choice]] = {
            "password": KEYS + strange(""),
            "host": HOSTS,
            "login": LOGINS,
            "schema": SCHEMAS,
            "port": PORTS,
        }
        likely = {"password": 0.9, "host": 0.4, "login": 0.1, "schema": 0.1, "port": 0.1}
        return {name: self.choose(values) for name, values in given.items() if self.chance(likely[name])}

    def extra(self) -> dict[str, object]:
        extra: dict[str, object] = {}
        if self.chance(0.6):
            extra = {
                "auth_type": "workload_identity",
                "identity_provider_id": self.choose(IDENTIFIERS),
                "service_account_id": self.choose(IDENTIFIERS),
                "workload_identity_provider": self._random.choice([*OF_PROVIDER, "azure"]),
            }
            for name in OF_PROVIDER[str(extra["workload_identity_provider"])]:
                if self.chance(0.6):
                    extra[name] = self.choose(SETTINGS[name])
            for name in ("refresh_buffer_seconds", "token_type"):
                if self.chance(0.2):
                    extra[name] = self.choose(SETTINGS[name])
            if self.chance(0.04):
                del extra[self._random.choice(list(extra))]
        elif self.chance(0.2):
            extra["auth_type"] = self.choose(usual("api_key") + strange("oauth", "", None))
        if self.chance(0.3):
            picked = self._random.sample(list(ARGUMENTS), self._random.randint(0, 3))
            extra["openai_client_kwargs"] = {name: self.choose(ARGUMENTS[name]) for name in picked}
            if self.chance(0.05):
                extra["openai_client_kwargs"]["organisation"] = "o"
        if self.chance(0.1):
            extra["unknown"] = self._random.choice(["x", 1, None, ["a"], {"a": {}}])
        return extra

    def as_json(self, fields: dict[str, object], extra: dict[str, object]) -> str:
        """JSON, `extra` an object or a string."""
        document = {**fields, "extra": extra if self.chance(0.5) else json.dumps(extra)}
        if self.chance(0.8):
            document["conn_type"] = "openai"
        document = dict(self._random.sample(list(document.items()), len(document)))
        text = json.dumps(document, ensure_ascii=self.chance(0.5), indent=self._random.choice([None, 2]))
        return self._random.choice(["", " ", "\n"]) + text + self._random.choice(["", "\n"])

    def nested_uri(self, fields: dict[str, object], extra: dict[str, object]) -> str:
        """A URI with everything in `__extra__`."""
        ignored = {"auth_type": "oauth"} if self.chance(0.2) else {}
        return self.uri(fields, {"__extra__": json.dumps(extra), **ignored})

    def flat_uri(self, fields: dict[str, object], extra: dict[str, object]) -> str:
        """A URI with a parameter for each setting, all of them text."""
        if self.chance(0.8):
            extra.pop("openai_client_kwargs", None)
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in extra.items()}
        if "refresh_buffer_seconds" in query:
            self._rules.add("number-as-text")
        return self.uri(fields, query)

    def uri(self, fields: dict[str, object], query: dict[str, str]) -> str:
        """A URI, whose host is a URL of its own or an escaped one."""
        host, scheme = str(fields.get("host", "")), ""
        if "://" in host and self.chance(0.4):
            scheme, host = host.split("://")
            scheme += "://"
        user = ""
        if "login" in fields or "password" in fields:
            password = f":{self.escaped(str(fields['password']))}" if "password" in fields else ""
            user = f"{self.escaped(str(fields.get('login', '')))}{password}@"
        port = f":{fields['port']}" if fields.get("port") is not None else ""
        schema = f"/{self.escaped(str(fields['schema']))}" if "schema" in fields else self._random.choice(["", "/"])
        text = f"openai://{scheme}{user}{self.escaped(host)}{port}{schema}"
        return f"{text}?{self.query(query)}" if query else text

    def query(self, query: dict[str, str]) -> str:
        parts = [f"{self.escaped(name)}={self.escaped(value)}" for name, value in query.items()]
        if self.chance(0.2):
            return urlencode(query)
        if self.chance(0.2):
            # The last one of a name counts.
            parts.insert(0, f"{self._random.choice(list(query))}=overridden")
        return "&".join(parts)

    def escaped(self, text: str) -> str:
        """Percent-encoded: what has to be, and some of what has not."""
        style = self._random.choice(["%{:02X}", "%{:02x}"])
        share = self._random.choice([0, 0, 0.2, 1])
        plain = "-._~!$'()*,"
        return "".join(
            character
            if (character.isascii() and character.isalnum() or character in plain) and not self.chance(share)
            else "".join(style.format(byte) for byte in character.encode())
            for character in text
        )
