# The user's commands. sandbox/bootstrap and the sandbox's own command do the work.
MAKEFLAGS += --no-print-directory
HOME_DIR  := $(or $(PROGRESSIVE_SANDBOX),.sandbox)
BOOTSTRAP := @sandbox/bootstrap/bootstrap.sh
PACKAGES  := @sandbox/bootstrap/packages.sh
SANDBOX   := @"$(HOME_DIR)/bin/sandbox"
STACK     ?= sandbox
# The issuer of the tokens that the sandbox's services accept (Pulumi.sandbox.yaml).
ISSUER    := .sandbox/issuer
# make build creates these files there: the issuer's keys, and the key that signs the sandbox's images.
KEYS      := $(ISSUER)/jwks.json $(ISSUER)/signing.pem
# The environment of the running sandbox, for the rest of a command. If no sandbox runs, the command ends.
IN_SANDBOX := variables="$$("$(HOME_DIR)/bin/sandbox" env)" && eval "$$variables"
# Prometheus of the sandbox at 127.0.0.1:9090, until it is stopped.
FORWARD   := $(IN_SANDBOX) && exec kubectl port-forward service/prometheus 9090 \
	--namespace "$$(pulumi stack output namespace --stack sandbox)-prometheus"
FUZZTIME  ?= 1m
# Recorded loads of public sources; docs/prediction.md says where they come from.
TRACES    ?= ../shared/traces

# Every build has the same settings, so that nothing is compiled twice (toolchain.BuildVariables).
# They override the settings of the user's shell and of a folder above.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false
export GOWORK := off
export GOOS := $(shell env -u GOROOT -u GOEXPERIMENT -u GOFIPS140 go env GOHOSTOS 2>/dev/null)
export GOARCH := $(shell env -u GOROOT -u GOEXPERIMENT -u GOFIPS140 go env GOHOSTARCH 2>/dev/null)
export GOAMD64 := v1
export GOARM64 := v8.0
export GO111MODULE := on
export GOFIPS140 := off
unexport GOEXPERIMENT GOROOT
# Without a home folder, as in some CI jobs, Go has no place for its caches.
export HOME := $(or $(HOME),$(shell getent passwd "$$(id -u)" | cut -d: -f6))

# Modules that take minutes to compile once more for the race detector. Tests that link one of them run without it: they are
# tests of wiring, and the goroutines are in the packages below.
HEAVY := github.com/(pulumi/pulumi-(aws|kubernetes)/sdk|google/ko)/|k8s.io/(kubernetes|kubectl|client-go)/|sigs.k8s.io/kwok/|modernc.org/sqlite
# The unit tests' packages in module $(1): with $(2) = -v those that link nothing heavy, with -e the others.
unit_tests = go -C $(1) list -test -f '{{if eq .Name "main"}}{{.ImportPath}} {{join .Deps " "}}{{end}}' ./... | \
	grep '^[^ ]*[.]test ' | grep -v '^[^ ]*/sandbox/test/' | grep -E $(2) ' ($(HEAVY))' | sed 's/[.]test .*//'

.NOTPARALLEL:
.PHONY: help up down status logs env preview build test packages vet unit-race unit engine properties e2e cosign fuzz bench bench-prod bench-agents bench-cache bench-load bench-prediction bench-scaling bench-prediction-live \
	load dashboard token lint diagram screenshot fmt generate clean require-sandbox

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(KEYS) ## start or repair the sandbox and bring the platform up; CLUSTER=existing for a cluster of yours
	$(BOOTSTRAP) up
	$(SANDBOX) up
	$(BOOTSTRAP) missing

down: require-sandbox ## stop it and remove its processes, mounts and network devices; the data stay, PURGE=1 removes them too
	$(SANDBOX) down $(if $(PURGE),--purge)

status: require-sandbox ## what runs, which tools are real, what the stack holds
	$(SANDBOX) status

logs: require-sandbox ## last lines of all logs, or of NAME=kubelet; F=1 follows
	$(SANDBOX) logs $(NAME) $(if $(F),-f)

env: require-sandbox ## lines for the shell: eval "$(make env)"
	$(SANDBOX) env

preview: build ## pulumi preview of STACK=sandbox, staging or prod, with the policy pack
	$(SANDBOX) preview --stack $(STACK)

build: $(KEYS) ## install what is missing and build the executables
	$(BOOTSTRAP) build

test: build vet unit-race unit engine ## every hermetic test: vet, unit tests, engine tests

packages: ## install the Debian packages that make test needs
	$(PACKAGES) servers clients race

vet: ## go vet of every module; a part of make test, as the next three
	@echo "== vet"; go vet ./... && go -C sandbox vet ./...

unit-race: packages ## unit tests with the race detector
	@echo "== unit tests with the race detector"; \
	for module in . sandbox; do CGO_ENABLED=1 go -C $$module test -race $$($(call unit_tests,$$module,-v)) || exit 1; done

unit: packages ## unit tests that link too much for it
	@echo "== unit tests that link much"; \
	for module in . sandbox; do go -C $$module test $$($(call unit_tests,$$module,-e)) || exit 1; done
	@echo "== Prometheus' own code, which make up compiles too"; go -C sandbox/mirror/prometheus test -count=1 ./...

engine: build packages ## engine tests: the real Pulumi, simulated nodes
	@echo "== engine tests"; go -C sandbox test -count=1 -timeout 45m -parallel 4 ./test/engine/...

properties: build packages ## every key of a live stack is changed and set back, on simulated nodes; six minutes
	@PROPERTIES=all go -C sandbox test -count=1 -timeout 60m -parallel 2 -run TestChangesOfAnExistingStack ./test/engine/

e2e: up ## the tests on the live sandbox
	$(PACKAGES) clients
	@go -C sandbox test -count=1 -v -timeout 45m ./test/live/...

cosign: ## cosign's own command, built from its module (minutes once), verifies what this project signs
	@go -C tools/cosign build -o "$(abspath $(HOME_DIR))/bin/cosign" github.com/sigstore/cosign/v3/cmd/cosign
	@COSIGN="$(abspath $(HOME_DIR))/bin/cosign" go test -count=1 -tags cosign -run TestCosign ./release/attest

fuzz: ## every decoder of the agents, the forecast, and the configurations of the program, for FUZZTIME=1m each
	@grep -rl --include='*_test.go' '^func Fuzz' agents forecast infra release | while read -r file; do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' $$file); do \
			echo "$$name in $$(dirname $$file)"; \
			go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) || exit 1; \
		done; \
	done

bench-agents: ## the services' figures of docs/performance.md; needs Debian's wrk
	@go run ./agents/bench

bench-load: ## pf load, autocannon and wrk in one run; needs Debian's nodejs, npm and wrk
	@npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$(HOME_DIR)/npm" autocannon@8.0.0
	@go run ./ops/loadbench -autocannon "$(HOME_DIR)/npm/node_modules/.bin/autocannon"

bench-cache: ## the cache's figures there, compared with the design document's CacheManager; needs Debian's nodejs and npm
	@go test -run '^$$' -bench 'LocalHit|RedisHit|CacheManager' -count 5 -cpu 2 ./agents/internal/cache

bench-prediction: ## the predictive scaler's figures of docs/prediction.md, on the loads in TRACES=DIR
	@go run ./forecast/benchprediction -traces "$(TRACES)"

bench-scaling: require-sandbox $(ISSUER)/jwks.json ## from a step of load to a ready pod, on the running sandbox; a quarter of an hour
	@$(IN_SANDBOX) && TOKEN="$$(go run ./agents/token -key $(ISSUER)/key.json)" go run ./ops/scalingbench

bench-prediction-live: up ## a daily peak on the sandbox, with the forecast and without it: docs/prediction.md; FAULTS=1 for its faults
	@$(IN_SANDBOX) && go run ./ops/peakbench $(if $(FAULTS),-faults)

token: $(ISSUER)/jwks.json ## a token for a test user, by an issuer of this machine's own; SCOPE="..." for others
	@go run ./agents/token -key $(ISSUER)/key.json $(if $(SCOPE),-scope "$(SCOPE)")

load: require-sandbox $(ISSUER)/jwks.json ## the design document's load test on the running sandbox; LOAD="spike --duration 5m --strict" and others
	@$(IN_SANDBOX) && TOKEN="$$(go run ./agents/token -key $(ISSUER)/key.json)" pf load $(LOAD)

bench: up ## the running sandbox's figures of docs/performance.md
	@go -C sandbox run ./test/bench -home "$$(cd "$(HOME_DIR)" && pwd)"

bench-prod: build packages ## the figures there of prod's previews, on simulated nodes; run `make down` before
	@go -C sandbox run ./test/bench -prod -project "$(CURDIR)"

lint: ## words and package names (tools/wordlint), workflows (actionlint), kube-score, Fluent Bit's keys, then golangci-lint, at the versions pinned in tools/
	@echo "wordlint"; go -C tools test ./wordlint && go -C tools run ./wordlint -root $(CURDIR)
	@echo "actionlint"; go tool -modfile=tools/actionlint/go.mod actionlint
	@echo "kube-score on the objects of prod and staging"; go -C tools/kubescore vet . && go -C tools/kubescore test .
	@echo "Fluent Bit's keys in prod and staging"; go -C tools/fluentbit vet . && go -C tools/fluentbit test -count=1 .
	@echo "golangci-lint; it is built first, which takes minutes once"
	@go tool -modfile=tools/go.mod golangci-lint run ./... && \
	go -C sandbox tool -modfile=../tools/go.mod golangci-lint run --config $(CURDIR)/.golangci.yml ./...

diagram: build ## draw docs/platform.svg from the stack prod, brought up for it on simulated nodes
	@go -C sandbox run ./diagram -stack prod > "$(HOME_DIR)/platform.svg"
	@mv "$(HOME_DIR)/platform.svg" docs/platform.svg

dashboard: require-sandbox ## the dashboards at http://127.0.0.1:9090/consoles/index.html, until Ctrl-C
	@$(FORWARD)

screenshot: up ## take docs/page.png, the front page with a planned week, docs/diagnosis.png, docs/load.png and docs/dashboard.png, from the running sandbox
	$(PACKAGES) clients
	@TOKEN=$$($(MAKE) token) go run ./ops/screenshot docs/page.png
	@go run ./ops/screenshot -page ops/diagnose/testdata/report.html docs/diagnosis.png
	@go run ./ops/screenshot -page ops/loadtest/testdata/report.html docs/load.png
	@$(MAKE) load LOAD="--duration 2m"
	@($(FORWARD)) >/dev/null & forward=$$!; \
	go run ./ops/screenshot -dashboard docs/dashboard.png; code=$$?; kill $$forward; exit $$code

fmt: ## gofmt
	@gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

generate: ## go generate in every module
	@go generate ./...
	@go -C sandbox generate ./...

clean: ## remove the sandbox and everything built
	@test ! -x "$(HOME_DIR)/bin/sandbox" || "$(HOME_DIR)/bin/sandbox" down --purge
	@rm -rf "$(HOME_DIR)" bin

$(ISSUER)/jwks.json:
	@mkdir -p .sandbox
	@go run ./agents/token -init $(ISSUER) >/dev/null

$(ISSUER)/signing.pem:
	@go run ./release/keygen $@ >/dev/null

require-sandbox:
	@test -x "$(HOME_DIR)/bin/sandbox" || { echo "error: there is no sandbox yet: run make up" >&2; exit 1; }
