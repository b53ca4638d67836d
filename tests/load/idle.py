"""Memory of the gateways while nobody asks anything of them."""

from parties import NAMES, Parties


def measure(seconds: int) -> int:
    print(f"\nafter {seconds} s without a request")
    print("| | resident, MiB | in proportion, MiB |")
    print("|---|---|---|")
    with Parties() as parties:
        parties.rest(seconds)
        for name in NAMES:
            print(f"| {name} | {parties.resident(name) / 2**20:.1f} | {parties.memory(name) / 2**20:.1f} |", flush=True)
    return 0
