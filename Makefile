# What a person types; all of it is done by sandbox/bootstrap and by the sandbox's own command.
MAKEFLAGS += --no-print-directory
HOME_DIR  := $(or $(PROGRESSIVE_SANDBOX),.sandbox)
BOOTSTRAP := @sandbox/bootstrap/bootstrap.sh
SANDBOX   := @$(HOME_DIR)/bin/sandbox
GO_TEST   := @CGO_ENABLED=0 go -C sandbox test -trimpath -count=1 -v
STACK     ?= sandbox
# Whose tokens the sandbox's services accept (Pulumi.sandbox.yaml).
ISSUER    := .sandbox/issuer

FUZZTIME  ?= 1m

.PHONY: help up down status logs env preview build test e2e fuzz bench bench-agents bench-cache load token lint diagram screenshot fmt generate clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(ISSUER)/jwks.json ## start or repair the sandbox and bring the platform up; CLUSTER=existing for a cluster of yours
	$(BOOTSTRAP) -up build
	$(SANDBOX) up

down: made ## stop it without a trace; the data stay, PURGE=1 removes them too
	$(SANDBOX) down $(if $(PURGE),--purge)

status: made ## what runs, which tools are real, what the stack holds
	$(SANDBOX) status

logs: made ## last lines of all logs, or of NAME=kubelet; F=1 follows
	$(SANDBOX) logs $(NAME) $(if $(F),-f)

env: made ## lines for the shell: eval "$(make env)"
	$(SANDBOX) env

preview: build ## pulumi preview of STACK=sandbox, staging or prod
	$(SANDBOX) preview --stack $(STACK)

build: $(ISSUER)/jwks.json ## install what is missing and build the executables
	$(BOOTSTRAP) build

test: build ## every hermetic test: vet, unit tests, engine tests
	$(BOOTSTRAP) test

e2e: up ## the tests on the live sandbox
	$(GO_TEST) -timeout 30m ./test/live/...

fuzz: ## every decoder of the agents for FUZZTIME=1m each
	@grep -rl --include='*_test.go' '^func Fuzz' agents | while read -r file; do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' $$file); do \
			echo "$$name in $$(dirname $$file)"; \
			CGO_ENABLED=0 go test -trimpath -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) || exit 1; \
		done; \
	done

bench-agents: ## the services' figures of docs/performance.md; needs Debian's wrk
	@CGO_ENABLED=0 go run -trimpath ./agents/bench

bench-cache: ## the cache's figures there, compared with the design document's CacheManager; needs Debian's nodejs and npm
	@CGO_ENABLED=0 go run -trimpath ./agents/bench -cache

token: $(ISSUER)/jwks.json ## a token for a test user, by an issuer of this machine's own; SCOPE="..." for others
	@CGO_ENABLED=0 go run -trimpath ./agents/token -key $(ISSUER)/key.json $(if $(SCOPE),-scope "$(SCOPE)")

load: $(ISSUER)/jwks.json ## the design document's load test on the running sandbox; LOAD="-duration 5m -strict" and others
	@TOKEN="$$(CGO_ENABLED=0 go run -trimpath ./agents/token -key $(ISSUER)/key.json)" CGO_ENABLED=0 go run -trimpath ./ops/loadtest $(LOAD)

bench: up ## the figures of docs/performance.md
	@CGO_ENABLED=0 go -C sandbox run -trimpath ./test/bench -home $(abspath $(HOME_DIR))

lint: ## golangci-lint, at the version of tools/go.mod
	$(BOOTSTRAP) lint

diagram: build ## draw docs/platform.svg from the stack prod, brought up for it on simulated nodes
	@CGO_ENABLED=0 go -C sandbox run -trimpath ./diagram -stack prod > $(HOME_DIR)/platform.svg
	@mv $(HOME_DIR)/platform.svg docs/platform.svg

screenshot: up ## take docs/page.png, the front page with a planned week, from the running sandbox
	@TOKEN=$$($(MAKE) token) CGO_ENABLED=0 go run -trimpath ./ops/screenshot docs/page.png

fmt: ## gofmt
	@gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

generate: ## go generate in every module
	@go generate ./...
	@go -C sandbox generate ./...

clean: ## remove the sandbox and everything built
	@test ! -x $(HOME_DIR)/bin/sandbox || $(HOME_DIR)/bin/sandbox down --purge
	@rm -rf $(HOME_DIR) bin

$(ISSUER)/jwks.json:
	@mkdir -p .sandbox
	@CGO_ENABLED=0 go run -trimpath ./agents/token -init $(ISSUER) >/dev/null

.PHONY: made
made:
	@test -x $(HOME_DIR)/bin/sandbox || { echo "error: there is no sandbox yet: run make up" >&2; exit 1; }
