// Holds Kubernetes objects against the schemas that their projects publish, as the packages for TypeScript carry them.
// Given on standard input as a JSON array; prints a line for each complaint.
import { readFileSync } from "node:fs";

const PACKAGES = [
  [/^(v1|apps\/v1|(coordination|networking|rbac\.authorization)\.k8s\.io\/.*)$/, "kubernetes-models"],
  [/^(generators\.)?external-secrets\.io\//, "@kubernetes-models/external-secrets"],
  [/^gateway\.envoyproxy\.io\//, "@kubernetes-models/envoy-gateway"],
  [/^gateway\.networking\.k8s\.io\//, "@kubernetes-models/gateway-api"],
  [/\.istio\.io\//, "@kubernetes-models/istio"],
];

// The validators let unknown fields pass, so it is noted which fields they look at.
function watch(value, seen) {
  if (value === null || typeof value !== "object") return value;
  const looked = new Set();
  seen.set(value, looked);
  const inner = new Map();
  return new Proxy(value, {
    get(target, key, receiver) {
      looked.add(key);
      if (!inner.has(key)) inner.set(key, watch(Reflect.get(target, key, receiver), seen));
      return inner.get(key);
    },
  });
}

// An object whose fields nobody looked at is one that may hold anything.
function* unknown(value, seen, path) {
  const looked = seen.get(value);
  if (!looked || Array.isArray(value)) {
    for (const [at, item] of Object.entries(looked ? value : {})) yield* unknown(item, seen, `${path}/${at}`);
    return;
  }
  const keys = Object.keys(value);
  if (!keys.some((key) => looked.has(key))) return;
  for (const key of keys) {
    if (looked.has(key)) yield* unknown(value[key], seen, `${path}/${key}`);
    else yield `${path}/${key} is unknown`;
  }
}

async function* complaints(object) {
  const found = PACKAGES.find(([pattern]) => pattern.test(object.apiVersion));
  if (!found) {
    yield "no package is known that has its schema";
    return;
  }
  const kinds = await import(`${found[1]}/${object.apiVersion}/${object.kind}`);
  const model = new kinds[object.kind](object);
  const seen = new WeakMap();
  try {
    watch(model, seen).validate();
  } catch (error) {
    yield error.message;
  }
  yield* unknown(model, seen, "");
}

for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  for await (const complaint of complaints(object)) {
    console.log(`${object.apiVersion} ${object.kind} ${object.metadata?.name}: ${complaint}`);
  }
}
