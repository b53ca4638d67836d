"""A cluster without nodes: etcd and kube-apiserver, with RBAC, an audit log and service accounts.

There are no controllers: objects are stored and served, and nothing is made of them.
"""

import atexit
import base64
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import jwt

from programs import INSTALLED, Program

ISSUER = "https://kubernetes.default.svc"
# The validator in Kubernetes allows as much to clocks that differ.
LEEWAY = 60

AUDIT = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - { level: RequestResponse, resources: [{ group: "", resources: [secrets] }], verbs: [patch, create, update, delete] }
  - { level: RequestResponse, resources: [{ group: coordination.k8s.io, resources: [leases] }], namespaces: [] }
  - { level: Metadata, resources: [{ group: "", resources: [secrets] }] }
  - { level: None }
"""

Object = dict[str, Any]


class Refused(Exception):
    """An answer of the API server that is not 2xx."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


class Cluster:
    """Started once, for all tests of a run. Each test has a namespace of its own."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="keyless-kubernetes-"))
        self.port, etcd, peers = free_ports(3)
        self._etcd = f"http://127.0.0.1:{etcd}"
        self._admin = secrets.token_hex(16)
        self._key = self.directory / "sa.key"
        (self.directory / "tokens.csv").write_text(f'{self._admin},admin,admin,"system:masters"\n')
        (self.directory / "audit.yaml").write_text(AUDIT)
        subprocess.run(["openssl", "genrsa", "-out", self._key, "2048"], check=True, capture_output=True)
        self._programs = [
            Program(
                [
                    str(INSTALLED / "etcd"),
                    f"--data-dir={self.directory / 'etcd'}",
                    f"--listen-client-urls={self._etcd}",
                    f"--advertise-client-urls={self._etcd}",
                    f"--listen-peer-urls=http://127.0.0.1:{peers}",
                    "--unsafe-no-fsync",
                ],
                self.directory / "etcd.log",
            )
        ]
        self._server = self._start(self.port)

    def _start(self, port: int) -> Program:
        server = Program(
            [
                str(INSTALLED / "kube-apiserver"),
                f"--etcd-servers={self._etcd}",
                f"--secure-port={port}",
                "--bind-address=127.0.0.1",
                f"--cert-dir={self.directory / 'certificates'}",
                f"--service-account-issuer={ISSUER}",
                f"--service-account-key-file={self._key}",
                f"--service-account-signing-key-file={self._key}",
                f"--token-auth-file={self.directory / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.0.0.0/24",
                # Without the control loop that it belongs to.
                "--endpoint-reconciler-type=none",
                f"--audit-policy-file={self.directory / 'audit.yaml'}",
                f"--audit-log-path={self.directory / f'audit-{port}.log'}",
            ],
            self.directory / "kube-apiserver.log",
        )
        self._programs.append(server)
        server.until(lambda: self.is_ready(port), "kube-apiserver")
        return server

    def is_ready(self, port: int) -> bool:
        try:
            return self.call("GET", "/readyz", port=port, raw=True) == "ok"
        except (OSError, Refused):
            return False

    # What tests do to it.

    def stop(self) -> None:
        """The API server is gone, as in an upgrade of the control plane."""
        self._server.process.kill()
        self._server.process.wait()

    def restart(self) -> None:
        self._server = self._start(self.port)

    def freeze(self) -> None:
        """It takes connections and says nothing."""
        self._server.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._server.signal(signal.SIGCONT)

    def second(self) -> int:
        """Another API server on the same data; its port."""
        [port] = free_ports(1)
        self._start(port)
        return port

    def end(self) -> None:
        for program in reversed(self._programs):
            program.end()
        shutil.rmtree(self.directory)

    # Objects.

    @property
    def certificate(self) -> Path:
        return self.directory / "certificates" / "apiserver.crt"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        port: int | None = None,
        raw: bool = False,
    ) -> Any:
        """As an administrator."""
        request = urllib.request.Request(
            f"https://127.0.0.1:{port or self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"authorization": f"Bearer {self._admin}", "content-type": content_type},
            method=method,
        )
        context = ssl.create_default_context(cafile=str(self.certificate)) if self.certificate.exists() else None
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as refused:
            raise Refused(refused.code, refused.read().decode()) from None
        return text if raw else json.loads(text)

    def apply(
        self, namespace: str, object: Object, manager: str = "test", port: int | None = None, **options: str
    ) -> Object:
        """Server-side, by force."""
        object = {**object, "metadata": {**object["metadata"], "namespace": namespace}}
        query = "".join(f"&{name}={value}" for name, value in options.items())
        path = f"{collection(object, namespace)}/{object['metadata']['name']}?fieldManager={manager}&force=true{query}"
        return self.call("PATCH", path, object, "application/apply-patch+yaml", port)

    def secret(self, namespace: str, name: str = "openai") -> Object | None:
        try:
            return self.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def lease(self, namespace: str, name: str = "openai") -> Object:
        return self.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}")["spec"]

    def edit(self, namespace: str, change: Object, name: str = "openai", manager: str = "kubectl-edit") -> None:
        """As a person does by hand."""
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}?fieldManager={manager}"
        self.call("PATCH", path, change, "application/merge-patch+json")

    def audit(self, namespace: str, resource: str) -> list[Object]:
        """What was asked for there, oldest first."""
        found = []
        for log in self.directory.glob("audit-*.log"):
            for line in log.read_text().splitlines():
                event = json.loads(line)
                object = event.get("objectRef", {})
                if object.get("namespace") == namespace and object.get("resource") == resource:
                    found.append(event)
        return sorted(found, key=lambda event: event["stageTimestamp"])

    def token(self, namespace: str, account: str, seconds: int = 3600) -> str:
        """Of a service account, as its issuer signs it, but shorter if wanted: that gives ten minutes at least."""
        uid = self.call("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")["metadata"]["uid"]
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": [ISSUER],
            "sub": f"system:serviceaccount:{namespace}:{account}",
            "iat": now - 600,
            "nbf": now - 600,
            "exp": now + seconds - LEEWAY,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}},
        }
        return jwt.encode(claims, self._key.read_text(), algorithm="RS256")


def collection(object: Object, namespace: str) -> str:
    group = object["apiVersion"]
    kind = object["kind"].lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    root = "/api/v1" if group == "v1" else f"/apis/{group}"
    return f"{root}/namespaces/{namespace}/{plural}"


def decoded(secret: Object) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


_shared: Cluster | None = None


def shared() -> Cluster:
    """The one cluster of this run."""
    global _shared
    if _shared is None:
        _shared = Cluster()
        atexit.register(_shared.end)
    return _shared


def namespace(cluster: Cluster) -> str:
    """A fresh one."""
    name = f"test-{os.getpid()}-{secrets.token_hex(4)}"
    cluster.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name
