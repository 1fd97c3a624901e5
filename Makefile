# make help lists the targets. CI runs `make ci`; .ci/run does so on a new machine.

GO       ?= go
FUZZTIME ?= 10s
FIRST    ?= 1
BUF      := $(GO) tool -modfile=tools/go.mod buf

# What proto/ said when it was last promised, without comments. Everything on main is promised: any of it may lie on a disk, or
# run beside the next version.
PROMISED := proto/promised.binpb

# What bench-alternatives compares, and for how long; as below it takes about two hours, half of them for the pairs.
# ROUNDS=3 TRIALS=1 DURATION=3s PAIRS=0 takes 20 minutes.
ROUNDS   ?= 3
TRIALS   ?= 3
DURATION ?= 5s
SYSTEMS  ?= wactor,wactor-3,memory,redis,redislock,occ,rabbitmq,naive
OUT      ?= docs
REMARKS  ?=
# STATUSES=sent,delivered posts these delivery statuses for each reply, as a provider does.
STATUSES ?=
# HEADROOM=512 lets processes of the strategies collect garbage as seldom as Wactor's node does, instead of as Go does by itself.
HEADROOM ?= 0

.PHONY: help build test test-bench vet lint generate promise check-generated race fuzz property damage sim planted system system-short bench bench-once bench-alternatives bench-pairs bench-growth image dashboards packages reproduce deploy-test ci

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-16s %s\n", $$1, $$2 }'

build: ## builds bin/wactor
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-X main.version=$(patsubst v%,%,$(VERSION))" -o bin/wactor ./cmd/wactor

test: ## runs all tests but those of make system, which should have the machine for themselves
	WACTOR_SYSTEM= $(GO) test ./...

test-bench: ## runs the tests of the comparison's own module, without those that measure
	cd bench && $(GO) vet ./... && $(GO) test -short ./...

vet: ## checks format and go vet
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet ./...

lint: ## runs golangci-lint, where it is installed
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo "golangci-lint is not installed: skipped"; fi

generate: ## generates Go from proto/
	$(BUF) generate
	$(BUF) generate --template buf.gen.cluster.yaml

promise: ## promises what was added to proto/ since; refuses where something was changed or removed
	@if [ -e $(PROMISED) ]; then $(BUF) breaking --against $(PROMISED); fi
	$(BUF) build --exclude-source-info -o $(PROMISED)

check-generated: ## lints proto/, fails where it breaks what was promised, and where the generated code is not what it would generate
	$(BUF) lint
	$(BUF) breaking --against $(PROMISED)
	@$(BUF) build --exclude-source-info -o - | cmp -s - $(PROMISED) || { echo "$(PROMISED) lacks what was added: run make promise and commit"; exit 1; }
	$(BUF) generate
	$(BUF) generate --template buf.gen.cluster.yaml
	@git diff --exit-code -- proto || { echo "the generated code differs: run make generate and commit"; exit 1; }

race: ## runs the tests under the race detector, but those of make system; of the simulation, which is one goroutine, a few seeds
	WACTOR_SYSTEM= $(GO) test -race $$($(GO) list ./... | grep -v -e /internal/sim -e /system_test)
	$(GO) test -race -short ./internal/sim

fuzz: ## runs every fuzz target for FUZZTIME
	@GO="$(GO)" ./.ci/fuzz $(FUZZTIME)

property: SEEDS ?= 20000
property: ## runs SEEDS random histories of a conversation
	$(GO) test ./conversation -run Promises -rapid.checks=$(SEEDS)

damage: DAMAGES ?= 1000
damage: ## damages the files that a killed process leaves in DAMAGES ways, and looks for what is lost in silence
	$(GO) test ./persistence/store -run DamageIsNeverSilent -damages=$(DAMAGES) -count=1 -v -timeout 30m

sim: SEEDS ?= 1000
sim: ## plays SEEDS seeds of a whole cluster, from FIRST on, with faults of every kind
	$(GO) test -c -o bin/sim.test ./internal/sim
	@# In processes of 1000 each: an engine whose sync has failed never gives back what it holds.
	@end=$$(($(FIRST) + $(SEEDS))); first=$(FIRST); while [ $$first -lt $$end ]; do \
		seeds=$$((end - first > 1000 ? 1000 : end - first)); \
		(cd internal/sim && ../../bin/sim.test -test.run TestSeeds -sim.first=$$first -sim.seeds=$$seeds -test.v -test.timeout 0) || exit 1; \
		first=$$((first + seeds)); \
	done

planted: ## plants mistakes, one after the other, and plays seeds until each is caught
	$(GO) test -tags planted ./internal/sim -run TestPlanted -count=1 -v -timeout 30m

system: WACTOR_ROUNDS ?= 20
# The tests of cmd/wactor that need the machine for themselves: processes that are killed, and the page in a browser.
ALONE := Killed|Phone|Verdicts

system: ## kills, pauses and cuts off real nodes under load, fills disks, restarts and moves them, WACTOR_ROUNDS faults of a kind; needs root or user namespaces
	WACTOR_SYSTEM=1 WACTOR_KILLS=$(WACTOR_ROUNDS) $(GO) test ./cmd/wactor -run '$(ALONE)|RestoredCluster|TheLastOfThree' -count=1 -v -timeout 1h
	WACTOR_SYSTEM=require WACTOR_ROUNDS=$(WACTOR_ROUNDS) $(GO) test ./system_test -count=1 -v -timeout 12h

system-short: ## does most of that once, in five minutes; skips what the machine forbids, unless WACTOR_SYSTEM=require
	WACTOR_SYSTEM=$(or $(WACTOR_SYSTEM),1) $(GO) test ./cmd/wactor -run '$(ALONE)' -count=1
	WACTOR_SYSTEM=$(or $(WACTOR_SYSTEM),1) WACTOR_ROUNDS=1 $(GO) test ./system_test -short -count=1 -timeout 15m

bench: ## runs all benchmarks, for benchstat
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./...

bench-once: ## runs every benchmark once, so that none rots
	$(GO) test -run '^$$' -bench . -benchtime 1x -short ./...

bench-alternatives: ## measures Wactor beside a Redis lock, SQL versions, RabbitMQ and more; writes docs/comparison.md and plots
	cd bench && $(GO) run ./cmd/compare -module .. -out "$(abspath $(OUT))" -systems "$(SYSTEMS)" -rounds $(ROUNDS) -trials $(TRIALS) \
		-pairs $(PAIRS) -duration $(DURATION) -remarks "$(REMARKS)" -statuses "$(STATUSES)" -headroom $(HEADROOM) -command "make bench-alternatives ROUNDS=$(ROUNDS) TRIALS=$(TRIALS) DURATION=$(DURATION)$(if $(STATUSES), STATUSES=$(STATUSES))$(if $(filter-out 0,$(HEADROOM)), HEADROOM=$(HEADROOM))"

# What bench-pairs compares: commits, . for this checkout, or systems of bench-alternatives.
A     ?= main
B     ?= .
NODES ?= 1
PAIRS ?= 20
SLICE ?= 2500ms

bench-pairs: ## measures B beside A, load alternating between them; prints ratios with intervals: A=main B=. NODES=3
	cd bench && $(GO) run ./cmd/pairs -module .. -a "$(A)" -b "$(B)" -nodes $(NODES) -pairs $(PAIRS) -slice $(SLICE) -statuses "$(STATUSES)"

bench-growth: ## measures what a million stored conversations cost a node, beside 10,000
	cd bench && $(GO) run ./cmd/growth -module .. -rounds $(ROUNDS) -duration $(DURATION)

image: ## builds the context of deploy/Dockerfile in bin/image, and the image wactor:dev where docker or podman is there
	@rm -rf bin/image && mkdir -p bin/image/data
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -o bin/image/wactor ./cmd/wactor
	@for engine in docker podman buildah; do if command -v $$engine >/dev/null; then exec $$engine build -f deploy/Dockerfile -t wactor:dev bin/image; fi; done; \
		echo "no docker, podman or buildah: bin/image is the context of deploy/Dockerfile"

dashboards: ## writes deploy/grafana from docs/metrics.md
	cd deploy/test && $(GO) test . -run TestDashboardIsGenerated -update -count=1

NFPM    := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo 0.0.0)

packages: ## builds bin/packages/*.deb and *.rpm for this architecture
	@rm -rf bin/package bin/packages && mkdir -p bin/package/completions bin/packages
	CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/package/wactor ./cmd/wactor
	bin/package/wactor completion bash > bin/package/completions/wactor.bash
	bin/package/wactor completion zsh > bin/package/completions/_wactor
	bin/package/wactor completion fish > bin/package/completions/wactor.fish
	@for kind in deb rpm; do GOARCH=$$($(GO) env GOARCH) VERSION=$$(echo "$(VERSION)" | sed 's/^v//; /^[0-9]*\./!s/^/0.0.0-/') \
		$(GO) run $(NFPM) package -f deploy/packages/nfpm.yaml -p $$kind -t bin/packages/ || exit 1; done

reproduce: ## builds the program in two folders and compares the bytes; TAG=v1.2.3 for a release
	@first=$$(mktemp -d); second=$$(mktemp -d); trap 'rm -rf $$first $$second' EXIT; \
	for folder in $$first $$second/at/another/depth; do mkdir -p $$folder && git archive $(or $(TAG),HEAD) | tar -x -C $$folder && \
		(cd $$folder && CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags "-X main.version=$(patsubst v%,%,$(or $(TAG),dev))" -o wactor ./cmd/wactor) || exit 1; done; \
	cmp $$first/wactor $$second/at/another/depth/wactor && sha256sum $$first/wactor | cut -d' ' -f1

deploy-test: ## holds deploy/ against the tools that read it: chart, compose, unit, image, rules, dashboard
	cd deploy/test && $(GO) vet . && $(GO) test . -count=1 -timeout 15m

ci: ## runs what CI runs
	@./.ci/steps vet lint check-generated test system-short test-bench deploy-test race property sim planted bench-once fuzz
