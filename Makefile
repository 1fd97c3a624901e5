# make help lists the targets. CI runs `make ci`; .ci/run does so on a new machine.

GO       ?= go
FUZZTIME ?= 10s
SEEDS    ?= 20000
BUF      := $(GO) tool -modfile=tools/go.mod buf

.PHONY: help build test vet lint generate check-generated race fuzz property system bench bench-once ci

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-16s %s\n", $$1, $$2 }'

build: ## builds bin/wactor
	$(GO) build -o bin/wactor ./cmd/wactor

test: ## runs all tests, as the README says
	$(GO) test ./...

vet: ## checks format and go vet
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) vet ./...

lint: ## runs golangci-lint, where it is installed
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo "golangci-lint is not installed: skipped"; fi

generate: ## generates Go from proto/
	$(BUF) generate
	$(BUF) generate --template buf.gen.cluster.yaml

check-generated: ## lints proto/ and fails where the generated code is not what it would generate
	$(BUF) lint
	$(BUF) generate
	$(BUF) generate --template buf.gen.cluster.yaml
	@git diff --exit-code -- proto || { echo "the generated code differs: run make generate and commit"; exit 1; }

race: ## runs all tests under the race detector
	$(GO) test -race ./...

fuzz: ## runs every fuzz target for FUZZTIME
	@GO="$(GO)" ./.ci/fuzz $(FUZZTIME)

property: ## runs SEEDS random histories of a conversation
	$(GO) test ./conversation -run Promises -rapid.checks=$(SEEDS)

system: ## kills a real process again and again under load, the long way
	WACTOR_KILLS=20 $(GO) test ./cmd/wactor -run Killed -count=1 -v -timeout 15m

bench: ## runs all benchmarks, for benchstat
	$(GO) test -run '^$$' -bench . -benchmem -count 6 ./...

bench-once: ## runs every benchmark once, so that none rots
	$(GO) test -run '^$$' -bench . -benchtime 1x -short ./...

ci: ## runs what CI runs
	@./.ci/steps vet lint check-generated test race property bench-once fuzz
