# Weft's front door. Every target brings what it needs onto the machine first; all are safe to repeat.
.DEFAULT_GOAL := help
PRESET ?= release
EXAMPLE ?= flights
BUILD := build/$(PRESET)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup:
	@tools/setup.sh build

configure: setup
	@test -e $(BUILD)/build.ninja || cmake --preset $(PRESET) >build/$(PRESET).configure.log 2>&1 || { cat build/$(PRESET).configure.log; exit 1; }

build: configure ## the program, at build/weft
	@cmake --build --preset $(PRESET) --target weft
	@ln -sfn $(PRESET)/weft build/weft

everything: build
	@cmake --build --preset $(PRESET)

run: build ## a node with the example mesh, from real data, in the foreground
	@tools/run_example.sh $(EXAMPLE)

test: everything ## every test (UPDATE=1 rewrites the expected output of tests/**/*.test)
	@tools/setup.sh test
	@tools/run_tests.sh

interop: build ## verdicts beside those of datacontract-cli, a real dbt, people of a Keycloak
	@tools/setup.sh interop
	@cmake --build --preset $(PRESET) --target verdicts
	@PART=interop tools/run_tests.sh

check: build ## format, layers, sizes, tidy
	@tools/setup.sh check
	@tools/run_checks.sh

fmt: ## format the code
	@tools/setup.sh check
	@git ls-files '*.cc' '*.h' ':!third_party' | xargs clang-format-16 -i

asan: ## the tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory test PRESET=asan

tsan: ## the tests under the thread sanitizer
	@$(MAKE) --no-print-directory test PRESET=tsan

soak: build ## killed at each step and at 500 random moments, a disk that fails at each write (30 minutes; QUICK=1: one)
	@tools/setup.sh test
	@WEFT_PROGRAM=$(BUILD)/weft build/deps/venv/bin/python -W ignore soak/soak.py $(PARTS)

crowd: ## a thousand concurrent mixed operations under the thread sanitizer
	@$(MAKE) --no-print-directory soak PRESET=tsan PARTS=crowd TSAN_OPTIONS=halt_on_error=1

fuzz: ## the fuzzers, FUZZ_SECONDS each (default 300)
	@tools/setup.sh fuzz
	@tools/run_fuzz.sh

bench: build ## the figures of docs/performance.md
	@tools/setup.sh test
	@cmake --build --preset $(PRESET) --target ledger_bench cel_bench compat_bench catalog_bench tokens_bench decide_bench audit_bench
	@tools/run_bench.sh

.PHONY: help setup configure build everything run test interop check fmt asan tsan soak crowd fuzz bench
