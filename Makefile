# Paraph. `make run` starts it, `make test` proves it; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

version := $(shell git describe --tags --always --dirty 2>/dev/null)
ldflags := -s -w $(if $(version),-X main.version=$(version))
tool := go tool -modfile=tools/go.mod

# The flags with which `make run` and `make dev` serve: on loopback only, so webhooks to loopback are no danger.
serve := serve --dev --data ./data --listen 127.0.0.1:3000 --base-url http://localhost:3000 \
	--webhook-allow-net 127.0.0.0/8 --webhook-allow-net ::1/128

# The version is set above; asking git once more at each build fails in a checkout that another user owns.
export GOFLAGS := -buildvcs=false $(GOFLAGS)

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-18s %s\n' "$$name" "$$text"; done

.PHONY: run
run: build ## build everything and serve at http://localhost:3000, data in ./data
	bin/paraph $(serve)

.PHONY: dev
dev: node_modules/.package-lock.json ## serve with live reload, sample data and the gallery of pages
	scripts/dev $(serve)

.PHONY: build
build: generate assets binary ## build bin/paraph with everything embedded

.PHONY: binary
binary:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(ldflags)' -o bin/paraph ./cmd/paraph

.PHONY: generate
generate: ## write the Go code of the templ files, and docs/openapi.json
	go tool templ generate -log-level error
	go run ./internal/dev/openapi >docs/openapi.json.tmp && mv docs/openapi.json.tmp docs/openapi.json

.PHONY: assets
assets: node_modules/.package-lock.json ## bundle the browser's half
	npm run --silent build

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel error
	@touch $@

.PHONY: deps
deps: ## install what the tests need, when it is missing
	scripts/deps

.PHONY: test
test: deps check-generated assets binary ## everything: both databases, SMTP, S3, a browser
	scripts/with-postgres scripts/with-s3 scripts/test

.PHONY: test-faults
test-faults: deps assets binary ## kill, restart, fill up, stop the clock: a few minutes, ends with a table
	scripts/with-postgres scripts/test-faults

.PHONY: fuzz
fuzz: deps ## fuzz all that reads files of strangers, each target for FUZZTIME (2m)
	scripts/fuzz

.PHONY: test-short
test-short: ## the fast part, while working
	go test -short ./...

.PHONY: check-generated
check-generated: ## fail when generated code is not what its source says
	scripts/check-generated

.PHONY: lint
lint: assets ## vet, staticcheck, gofumpt, govulncheck
	go vet ./...
	$(tool) staticcheck ./...
	scripts/check-format
	scripts/check-vulnerabilities

.PHONY: fmt
fmt: ## format the Go and templ code
	git ls-files -co --exclude-standard '*.go' ':!*_templ.go' | xargs $(tool) gofumpt -w
	go tool templ fmt .

.PHONY: bench
bench: binary ## measure, print a table, write bench/results.json
	scripts/with-postgres go run ./bench

.PHONY: clean
clean: ## remove what was built, but not ./data
	rm -rf bin node_modules
	git clean -qfX internal/web/dist
