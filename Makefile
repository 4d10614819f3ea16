# Thin wrapper: CMake does the work (see CMakePresets.json). Each goal first installs what it
# lacks, so that a fresh Debian 12 with gcc, make and apt can start with any of them.
# SPDX-License-Identifier: Apache-2.0

PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 600
JOBS         ?= $(shell nproc)
need          = @tools/install-dependencies

export CMAKE_BUILD_PARALLEL_LEVEL = $(JOBS)

.PHONY: all asan test run bench fuzz fuzz-smoke install clean format accept coverage help

all: ## the release program, build/signalbox
	$(need) build
	@tools/build release

asan: ## the program with sanitizers, build-asan/signalbox
	$(need) build test
	@tools/build asan

test: ## all tests, plain and with sanitizers, then 30 s of each fuzz target
	$(need) build test page
	@tools/run-tests --fuzz-seconds 30 --fuzz-seed 1 dev asan

run: all ## what it is for: flows played live, and a capture explained
	@tools/demo build/signalbox

bench: ## speed and memory, against other programs on the same file
	$(need) build bench
	@tools/build release
	@bench/run build/signalbox

fuzz: ## each fuzz target for FUZZ_SECONDS (600)
	$(need) build test
	@tools/run-tests --fuzz-seconds $(FUZZ_SECONDS)

fuzz-smoke: ## each fuzz target for 30 seconds
	$(need) build test
	@tools/run-tests --fuzz-seconds 30

install: all ## program, man page and completions, below DESTDIR and PREFIX
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)" --strip

accept: all ## take what the program prints now as the golden texts
	@tests/golden/run --accept build/signalbox

coverage: ## which lines the tests ran, into build-coverage/coverage.txt
	$(need) build test
	@tools/run-tests coverage
	@tools/coverage build-coverage

format: ## clang-format on the lines changed since the last commit
	$(need) format
	@git clang-format-14 --binary clang-format-14 --style=file HEAD -- '*.c' '*.h' || true

clean: ## all build folders
	rm -rf build build-dev build-asan build-tsan build-fuzz build-coverage

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20
