"""Takes the component into the package: `$KEYLESS_COMPONENT`, else what the repository has built, else what the source
distribution holds."""

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "credential-machine.wasm"


class Component(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        here = root / "src" / "keyless" / NAME
        built = root.parent.parent / "target" / "components" / NAME
        named = os.environ.get("KEYLESS_COMPONENT")
        component = Path(named) if named else next((path for path in (built, here) if path.is_file()), built)
        if not component.is_file():
            raise SystemExit(f"{component} is missing; `make components` builds it, or name one with KEYLESS_COMPONENT")
        inside = f"keyless/{NAME}" if self.target_name == "wheel" else f"src/keyless/{NAME}"
        build_data["force_include"][str(component)] = inside
