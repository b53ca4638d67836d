"""Reads Prometheus' text format from standard input, and writes its families as JSON."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

families = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    if family.name in families:
        sys.exit(f"{family.name} comes twice")
    if not family.documentation or family.type == "unknown":
        sys.exit(f"{family.name} has no head")
    samples = [(sample.name, sample.labels, sample.value) for sample in family.samples]
    if len({(name, tuple(sorted(labels.items()))) for name, labels, _ in samples}) != len(samples):
        sys.exit(f"{family.name} has a sample twice")
    families[family.name] = {"type": family.type, "samples": samples}
json.dump(families, sys.stdout)
