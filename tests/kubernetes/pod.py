"""`keyless sync` as a pod has it: its own view of /run/secrets, a service account, nothing else of the cluster."""

import json
import os
import signal
import ssl
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from cluster import Cluster, namespace
from programs import HERE, KEYLESS, Program

DOCS = HERE.parent.parent / "docs" / "kubernetes"
SERVICE_ACCOUNT = "keyless-sync"

# A mount namespace for one process, in which the service account is where every pod has it. What is started is
# keyless itself in the end, and gets its signals.
AS_A_POD = """
mount -t tmpfs tmpfs /run
mkdir -p /run/secrets/kubernetes.io
ln -s "$POD/serviceaccount" /run/secrets/kubernetes.io/serviceaccount
exec "$@"
"""


def manifest(name: str) -> list[dict[str, Any]]:
    """The objects of a file of docs/kubernetes."""
    return list(yaml.safe_load_all((DOCS / name).read_text()))


class Sandbox:
    """The token endpoint and the API."""

    def __init__(self, directory: Path) -> None:
        self._program = Program([KEYLESS, "sandbox", "--json"], directory / "sandbox.log")
        self._program.until(lambda: self._program.said().endswith("\n"), "the sandbox")
        self.told = json.loads(self._program.said())

    def switch(self, path: str, **settings: Any) -> None:
        request = urllib.request.Request(f"{self.told['admin']}{path}", json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.told['admin']}/state", timeout=30) as answer:
            return json.load(answer)

    def exchanges(self) -> int:
        """How often a token was asked for."""
        return self.state()["counters"]["exchange"]["requests"]

    def accounts(self) -> list[dict[str, Any]]:
        """The service accounts that were made, oldest first, the deleted ones too."""
        with urllib.request.urlopen(f"{self.told['admin']}/service-accounts", timeout=30) as answer:
            return json.load(answer)["accounts"]

    def opens(self, key: str) -> bool:
        """Whether the API takes it."""
        context = ssl.create_default_context(cafile=self.told["ca_file"])
        request = urllib.request.Request(f"{self.told['base_url']}/models", headers={"authorization": f"Bearer {key}"})
        try:
            urllib.request.urlopen(request, timeout=30, context=context).close()
        except urllib.error.HTTPError:
            return False
        return True

    def end(self) -> None:
        self._program.end()


class Pods:
    """A namespace with the rights of docs/kubernetes, a sandbox, and the pods that a test starts."""

    def __init__(
        self, cluster: Cluster, rights: bool = True, lifetime: int = 3600, document: str | None = None
    ) -> None:
        self.cluster = cluster
        self.namespace = namespace(cluster)
        self._directory = tempfile.TemporaryDirectory(prefix="keyless-pods-")
        self.directory = Path(self._directory.name)
        self.sandbox = Sandbox(self.directory)
        self.sandbox.switch("/lifetime", seconds=lifetime)
        documents = self.sandbox.told["documents"]
        text = documents["native"] if document is None else documents[document]["document"]
        (self.directory / "connection.json").write_text(text)
        self.pods: list[Pod] = []
        for object in manifest("rights.yaml"):
            if object["kind"] == "RoleBinding":
                object["subjects"][0]["namespace"] = self.namespace
            if object["kind"] == "Role" and not rights:
                object["rules"] = []
            cluster.apply(self.namespace, object)

    def allow(self, rules: list[dict[str, Any]]) -> None:
        """All that the service account may do."""
        role = next(object for object in manifest("rights.yaml") if object["kind"] == "Role")
        self.cluster.apply(self.namespace, {**role, "rules": rules})

    def start(self, *arguments: str, token_seconds: int = 3600) -> "Pod":
        pod = Pod(self, f"pod-{len(self.pods)}", arguments, token_seconds)
        self.pods.append(pod)
        return pod

    def logs(self) -> str:
        return "".join(pod.said() for pod in self.pods)

    def __enter__(self) -> "Pods":
        return self

    def __exit__(self, *_: object) -> None:
        for pod in self.pods:
            pod.end()
        self.sandbox.end()
        self._directory.cleanup()


class Pod(Program):
    """One replica."""

    def __init__(self, pods: Pods, name: str, arguments: tuple[str, ...], token_seconds: int) -> None:
        self.name = name
        self._pods = pods
        self._own = pods.directory / name
        account = self._own / "serviceaccount"
        account.mkdir(parents=True)
        (account / "namespace").write_text(pods.namespace)
        (account / "ca.crt").write_text(pods.cluster.certificate.read_text())
        self.renew_token(token_seconds)
        script = ["unshare", "--mount", "--map-root-user", "sh", "-euc", AS_A_POD, name]
        sync = [
            KEYLESS,
            "sync",
            "--connection",
            f"@{pods.directory / 'connection.json'}",
            "--secret",
            "openai",
            *arguments,
        ]
        super().__init__(
            [*script, *sync],
            self._own / "keyless.log",
            {
                "POD": str(self._own),
                "HOSTNAME": name,
                "HOME": str(self._own),
                "KUBERNETES_SERVICE_HOST": "127.0.0.1",
                "KUBERNETES_SERVICE_PORT": str(pods.cluster.port),
                "KEYLESS_CA_CERT": pods.sandbox.told["ca_file"],
                "KEYLESS_CACHE_DIR": str(Path(tempfile.gettempdir()) / f"keyless-tests-{os.getuid()}"),
            },
        )

    def renew_token(self, seconds: int) -> None:
        """As the kubelet does: a new file in place of the old one."""
        file = self._own / "serviceaccount" / "token"
        fresh = file.with_suffix(".new")
        fresh.write_text(self._pods.cluster.token(self._pods.namespace, SERVICE_ACCOUNT, seconds))
        fresh.rename(file)

    def leads(self) -> bool:
        """Whether the Lease says so."""
        holder = self._pods.cluster.lease(self._pods.namespace).get("holderIdentity", "")
        return holder.startswith(f"{self.name}_")

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()
