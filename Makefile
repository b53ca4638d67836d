# Two commands on a fresh machine with rustup, git, make and gcc: `make demo` and `make test`, which needs g++ as well.
# Everything is built with one profile (release), because wasmtime takes minutes to compile.

TARGET := wasm32-unknown-unknown
TOOLS := target/tools
DENY_VERSION := 0.20.2
MUTANTS_VERSION := 27.1.0
# What the command and its library can be built with, but for the keyring: on Linux that is D-Bus, and minutes of building.
FEATURES := keyless/kubernetes,keyless/reqwest,keyless/tower
# With the time, so that the log says what takes how long.
say = @printf '\n== %s  %s\n' "$$(date +%T)" "$(1)"
# Tools are run once or twice, and their own profiles are for who runs them all day: fat LTO in one codegen unit.
QUICKLY := CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

.PHONY: demo
demo: setup ## the main job on the sandbox, in under a minute after the build
	$(call say,building keyless; wasmtime takes most of five minutes the first time)
	@began=$$(date +%s); cargo build --release --package keyless --timings && \
	    printf 'built in %s s; where the time went: target/cargo-timings/cargo-timing.html\n' $$(($$(date +%s) - began))
	$(call say,running keyless demo)
	./target/release/keyless demo

# What only downloads begins at once, beside what compiles; the API server is compiled beside what waits for its peers.
.PHONY: test
test: setup ahead lint deny unit fuzz api-server peers gateways page embed kubernetes ## everything that CI runs

.PHONY: embed
embed: setup rust wasi node python conformance ## everything that embeds Keyless, as its users have it

.PHONY: unit
unit: setup ## the tests that need nothing but cargo
	$(call say,building and running all tests; wasmtime takes most of five minutes the first time)
	cargo test --release --workspace --features $(FEATURES) --exclude keyless-component --exclude keyless-proxy-wasm \
	    --exclude keyless-wasi-http
	$(call say,running the credential cell and single flight through every order of their steps)
	cd tests/loom && cargo test --release --locked --target-dir ../../target/loom

.PHONY: lint
lint: setup cxx ## format and lints
	$(call say,checking format and lints)
	cargo fmt --all --check
	tests/compiled-once
	cargo clippy --release --workspace --features $(FEATURES) --all-targets -- --deny warnings
	cargo clippy --release --package keyless-component --features wasi-03 -- --deny warnings
	cargo clippy --release --package keyless-component --features machine -- --deny warnings
	cd tests/loom && cargo fmt --check && \
	    cargo clippy --release --locked --all-targets --target-dir ../../target/loom -- --deny warnings
	cd guest/gateway/compose && cargo fmt --check && \
	    cargo clippy --release --locked --target-dir ../../../target/compose -- --deny warnings
	# Without clippy, for which much of wasmtime would be checked twice more.
	cd tests/rust && cargo fmt --check
	cd tests/wasi-03 && cargo fmt --all --check

.PHONY: deny
deny: setup ## licences, sources and bans of every dependency
	$(call say,checking dependencies; cargo-deny is built by name if it is not there)
	@test -x $(TOOLS)/bin/cargo-deny || $(QUICKLY) cargo install cargo-deny --version $(DENY_VERSION) --locked --root $(TOOLS)
	$(TOOLS)/bin/cargo-deny --locked check bans licenses sources
	for apart in tests/loom tests/rust tests/wasi-03 guest/gateway/compose; do \
	    $(TOOLS)/bin/cargo-deny --locked --manifest-path $$apart/Cargo.toml --config deny.toml \
	        check bans licenses sources || exit 1; \
	done

.PHONY: peers
peers: setup ## against the official clients and Airflow, installed by name in tests/peers
	$(call say,comparing with the official clients and Airflow)
	cargo build --release --package keyless
	tests/peers/run

.PHONY: gateways
gateways: setup ## nginx, HAProxy, Caddy, Envoy and Traefik with Keyless beside or inside, installed by name in tests/gateways
	$(call say,running the set-ups of docs/gateways)
	cargo build --release --package keyless
	cargo run --release --package keyless-envoy-filter -- target/components
	tests/gateways/run

# One after another, as apt wants it; whoever needs one of them waits for it, and says what went wrong.
.PHONY: ahead
ahead: ## begins to install what `make peers`, `make gateways` and `make page` need
	@mkdir -p target && nohup nice sh -c 'for part in peers gateways page; do tests/$$part/install; done' \
	    > target/ahead.log 2>&1 &

# One processor works on it while others have something to wait for.
.PHONY: api-server
api-server: ## begins to install the API server for `make kubernetes`, which waits for it
	@mkdir -p target && nohup nice tests/kubernetes/install > target/api-server.log 2>&1 &

.PHONY: kubernetes
kubernetes: setup ## `keyless sync` with an API server, and what External Secrets asks of `keyless serve`
	$(call say,running keyless sync against an API server; the first time that is compiled, for minutes)
	cargo build --release --package keyless --features kubernetes
	tests/kubernetes/run

.PHONY: keyring
keyring: setup ## keys in the keyring of the system; wants dbus, gnome-keyring and libglib2.0-bin, and compiles wasmtime once more
	$(call say,trying keys in a keyring)
	cargo test --release --package keyless --features keyring --test cli connections

.PHONY: page
page: setup ## the status page in a browser, with tools installed by name in tests/page
	$(call say,looking at the status page in a browser)
	cargo build --release --package keyless
	tests/page/run

# Each of the following is a workspace of its own where its dependencies would have wasmtime compiled anew for everybody. All
# share one target folder, and what of wasmtime is asked for the same features is compiled once.
.PHONY: rust
rust: setup ## the library in Rust programs: tower, reqwest, async-openai, and its packages on their own
	$(call say,testing Keyless in Rust programs)
	cargo build --release --package keyless
	cd tests/rust && cargo test --release --locked
	$(call say,building the packages and a program that knows nothing else)
	tests/rust/package

.PHONY: wasi
wasi: setup ## the gateway made of components, in jco; the component for WASI 0.3, in wasmtime
	$(call say,running the gateway made of components)
	cargo build --release --package keyless
	cargo run --release --package keyless-artifact -- target/components
	cargo run --release --package keyless-http-gateway -- target/components
	tests/http-gateway/run
	$(call say,running the component for WASI 0.3; a third of wasmtime is compiled once more)
	cd tests/wasi-03 && cargo test --release --locked

.PHONY: node
node: setup ## the package for Node, as it would be published, with the official clients
	$(call say,testing Keyless for Node)
	cargo build --release --package keyless
	cargo run --release --package keyless-machine -- target/components
	tests/node/run

.PHONY: python
python: setup ## the package for Python, as it would be published, with the official clients and in Airflow
	$(call say,testing Keyless for Python)
	cargo build --release --package keyless
	cargo run --release --package keyless-machine -- target/components
	tests/python/run

TRACES ?= 10000
.PHONY: conformance
conformance: node python ## what every host promises, and TRACES generated traces beside all scenarios, on Node and Python
	$(call say,holding the hosts to their promises and to the engine)
	tests/conformance $(TRACES)

.PHONY: components
components: setup ## the finished components and the filter for Envoy, in target/components
	$(call say,building the components)
	cargo run --release --package keyless-artifact -- target/components
	cargo run --release --package keyless-machine -- target/components
	cargo run --release --package keyless-provider-async -- target/components
	cargo run --release --package keyless-http-gateway -- target/components
	cargo run --release --package keyless-envoy-filter -- target/components

.PHONY: bench
bench: setup ## speed, each figure beside a peer of the same run
	cargo bench --package keyless-tests

.PHONY: start
start: setup ## the way from the start of a process to its first token, beside the official clients
	cargo build --release --package keyless
	tests/start/run

.PHONY: load
load: setup ## the proxy's requests per second and its memory, beside nginx and Envoy of the same run; what the filter costs
	tests/load/run requests
	tests/load/run streams
	tests/load/run idle
	tests/load/run filter

SOAK ?= 600
.PHONY: soak
soak: setup ## simulated hours, and rotations of minted keys, for SOAK seconds each, with other seeds each time
	cargo run --release --package keyless-simulation -- lives --seconds $(SOAK)
	cargo run --release --package keyless-simulation -- rotations --seconds $(SOAK)

.PHONY: figures
figures: setup ## of fleets: printed, and written into docs/fleet.svg and docs/reliability.md
	cargo run --release --package keyless-simulation -- fleet --write docs

# Enough to try what is known and a little more, and the same on every fresh machine: what fails there has a cause in the
# change. FUZZ=3600 is an hour each, with other inputs each time.
FUZZ ?= 30000x
.PHONY: fuzz
fuzz: setup cxx ## every parser, and the whole stream of events, under libFuzzer, FUZZ executions or seconds each
	$(call say,fuzzing every parser and the stream of events ($(FUZZ) each))
	tests/fuzz/run $(FUZZ)

.PHONY: cxx
cxx:
	@command -v "$${CXX:-c++}" >/dev/null || { echo 'a C++ compiler is needed, such as g++: libFuzzer is C++'; exit 1; }

.PHONY: mutants
mutants: setup ## whether the engine's tests notice mistakes put into its exchanges and its lease; see .cargo/mutants.toml
	@test -x $(TOOLS)/bin/cargo-mutants || \
	    cargo install cargo-mutants --version $(MUTANTS_VERSION) --locked --root $(TOOLS)
	cargo test --profile mutants --package keyless-engine --package keyless-scenarios --lib --test tables
	$(TOOLS)/bin/cargo-mutants mutants --baseline skip --timeout 300 \
	    --test-package keyless-engine,keyless-scenarios --output target

.PHONY: setup
setup:
	@command -v rustup >/dev/null || { echo 'rustup is needed: see https://rustup.rs'; exit 1; }
	@rustup target list --installed | grep -qx $(TARGET) || { echo 'installing the $(TARGET) target'; rustup target add $(TARGET); }
