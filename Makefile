# Tidewaiter. `make` alone says what there is to make.

BIN      := bin/tidewaiter
# The one place where the linter's version is chosen; it is built from source by the Go toolchain.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

export CGO_ENABLED = 0

.DEFAULT_GOAL := help
.PHONY: help setup build demo test lint bench clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Check the tools and fetch the modules (safe to repeat)
	@scripts/setup

build: setup ## Build bin/tidewaiter, one static binary
	go build -trimpath -o $(BIN) ./cmd/tidewaiter

demo: build ## Watch it find units that left the declared chain
	$(BIN) demo

# Tests that need PostgreSQL fail where it is missing, and are not skipped: setup has installed it, or said what to do.
test: export TIDEWAITER_NEED_POSTGRES = 1
test: setup ## Vet and run every test, and check what is published with tools that others wrote, and what a loss of power leaves
	go vet ./...
	go test ./...
	cd test/strangers && go vet ./... && go test ./...
	cd test/power && go vet ./... && go test ./...

lint: setup ## Check formatting, vet, and run the linters of .golangci.yml
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not gofmt'ed; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(GOLANGCI) run ./...

bench: setup ## Run the benchmarks
	@scripts/bench

clean: ## Remove what was built
	rm -rf bin dist
