"""What a document comes to, whoever reads it: the same words for both sides."""

from dataclasses import dataclass, field


@dataclass
class Reading:
    """A connection that works, or why it does not.

    `settings` is flat. `api.header.NAME` is a header of the request to the API beyond what the client adds to every
    request, `source.*` and `exchange.*` are what the identity token is asked for with and traded with.
    """

    refused: str | None = None
    # The stable code of Keyless's refusal.
    code: str | None = None
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return self.refused is None

    def differs_from(self, other: "Reading") -> list[str]:
        """The settings that are not the same, where both sides accept."""
        names = sorted(self.settings.keys() | other.settings.keys())
        return [name for name in names if self.settings.get(name) != other.settings.get(name)]


def secret(value: str) -> str:
    """A secret as `keyless plan` shows it: by its length."""
    return f"secret, {len(value)} character{'' if len(value) == 1 else 's'}"
