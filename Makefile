# Rollcall. "make demo" shows it, "make test" tests it; "make help" lists the rest.

.DEFAULT_GOAL := help

GO       ?= go
ARGS     ?=
FUZZTIME ?= 20s
BIN      := bin/rollcall

# Tools are pinned here and not in go.mod: what checks the product is no part of it.
GOLANGCI := v2.15.0
GOFUMPT  := v0.12.0
TOOLS     = $(shell $(GO) env GOPATH)/bin

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Build and run Rollcall with a demo organization and directory
	@exec $(BIN) serve --demo $(ARGS)

# No cgo: the binary runs on any machine of its platform. -s -w leave out what only a debugger reads, a third of the size.
.PHONY: build
build: ## Build bin/rollcall
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/rollcall

.PHONY: test
test: ## Run all tests, on both engines, with the race detector; installs what they need
	@.ci/test $(ARGS)

.PHONY: check
check: format lint fresh test ## All that a change has to pass: format, vet, lint, generated files, house and tests

.PHONY: format
format: $(TOOLS)/gofumpt-$(GOFUMPT)
	@wrong=$$("$<" -l .); \
	if [ -n "$$wrong" ]; then "$<" -d .; echo "not formatted; run: $< -w ."; exit 1; fi >&2

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI)
	@$(GO) vet ./... && $(GO) vet -tags interop ./interop
	@"$<" run ./...

# Generated files are written anew and must come out as they are. Where they do not, the new ones stay, to be committed.
.PHONY: fresh
fresh:
	@before=$$(mktemp -d) && generated="docs/reference docs/providers internal -type f ( -path docs/reference/* -o -path docs/providers/* -o -name *_templ.go )" && \
	set -f && find $$generated -exec cp --parents {} "$$before" ';' && set +f && \
	$(GO) generate ./... && stale=0 && \
	set -f && for file in $$(find $$generated); do diff -uN "$$before/$$file" "$$file" || stale=1; done; \
	rm -rf "$$before"; if [ "$$stale" != 0 ]; then echo "generated files were out of date and have been written anew; commit them" >&2; exit 1; fi

# A name that holds the version: another pin installs anew.
$(TOOLS)/gofumpt-$(GOFUMPT):
	@$(GO) install mvdan.cc/gofumpt@$(GOFUMPT)
	@ln -sf gofumpt "$@"

$(TOOLS)/golangci-lint-$(GOLANGCI):
	@echo "Installing golangci-lint $(GOLANGCI); this takes a minute or two, once" >&2
	@$(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	@ln -sf golangci-lint "$@"

.PHONY: bench
bench: ## Measure beside the floor; ARGS="-quick" and others are passed on
	@$(GO) run ./bench $(ARGS)

.PHONY: interop
interop: ## Sign in through real identity providers and applications; fetches some 300 MB once
	@.ci/interop $(ARGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (20s)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' "$$file"); do \
			echo "$$(dirname "$$file") $$target"; \
			$(GO) test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
		done; \
	done

.PHONY: mutate
mutate: ## Take each guard of the sign-in core away and see a test fail; ARGS="-packages ./internal/saml" and others are passed on
	@ROLLCALL_TEST_ENGINES=sqlite $(GO) run ./mutate $(ARGS)

.PHONY: clean
clean: ## Remove what was built; the demo's data stays
	@rm -rf bin
