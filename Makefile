# SPDX-License-Identifier: Apache-2.0
# The build of sixty. Everything it makes is below build/.
#
#   SAN=1   address and undefined-behaviour sanitizers, in build/san
#   COV=1   counts executed lines, in build/cov
#   FUZZ=1  for fuzz targets, in build/fuzz
#   V=1     prints the commands
#   CC=clang

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=

# One level each; a folder that has no C file yet is simply empty.
FOLDERS := base model collectors checklist export engine cmd symbols flamegraph tui

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(origin CC),default)
CC := gcc
endif

OUT := build
B   := $(OUT)$(if $(SAN),/san)$(if $(COV),/cov)$(if $(FUZZ),/fuzz)
Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-5s %s\n' '$1' '$2')

# --- flags -------------------------------------------------------------------------------------

CPPFLAGS += -D_GNU_SOURCE -DSIXTY_VERSION='"$(VERSION)"' -I. -I$(B)
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wold-style-definition -Wvla -Wformat=2 -Wpointer-arith -Wundef -Wwrite-strings
# Sentences are cut to fit on purpose, and what gcc says about it changes with the optimiser.
ifeq ($(findstring clang,$(CC)),)
WARNINGS += -Wno-format-truncation
endif
CFLAGS   ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARNINGS) $(MODE_CFLAGS) -ffile-prefix-map=$(CURDIR)/=
ALL_LDFLAGS = $(MODE_LDFLAGS) $(LDFLAGS)

ifdef FUZZ
MODE_CFLAGS  := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
MODE_LDFLAGS := -fsanitize=fuzzer,address,undefined
else ifdef SAN
MODE_CFLAGS  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
MODE_LDFLAGS := -fsanitize=address,undefined
else ifdef COV
MODE_CFLAGS  := -O0 --coverage -DSIXTY_COVERAGE
MODE_LDFLAGS := --coverage
else
# Ubuntu and others predefine a level of their own, hence -U.
MODE_CFLAGS  := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
MODE_LDFLAGS := -pie -Wl,-z,relro,-z,now
endif

# --- sources -----------------------------------------------------------------------------------

SRCS      := $(sort $(wildcard $(FOLDERS:%=%/*.c)))
TEST_SRCS := $(sort $(wildcard tests/unit/*.c))
MAIN      := $(filter cmd/main.c,$(SRCS))

OBJS      := $(SRCS:%.c=$(B)/obj/%.o)
LIB_OBJS  := $(filter-out $(B)/obj/cmd/main.o,$(OBJS))
TEST_OBJS := $(TEST_SRCS:%.c=$(B)/obj/%.o)
WORKLOADS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/workloads/*.c)))
TEST_TOOLS := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/tools/*.c)))

# All BPF programs are one object: each object that is loaded costs a parse of the kernel's types.
BPF_SRCS  := $(sort $(wildcard bpf/*.bpf.c))
BPF_CLANG ?= clang
BPF_STRIP ?= $(firstword $(shell command -v llvm-strip || ls /usr/bin/llvm-strip-* /usr/lib/llvm*/bin/llvm-strip 2>/dev/null))
BPF_ARCH  := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))))
BPF_FLAGS := -target bpf -mcpu=v3 -O2 -g -D__bpf__ -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra -Werror \
             -Wno-unused-parameter -I. $(addprefix -idirafter ,$(shell $(BPF_CLANG) -print-file-name=include)) \
             $(addprefix -idirafter ,$(wildcard /usr/include/$(shell $(CC) -dumpmachine)))

# A library is linked when a source includes its header.
uses    = $(if $(shell grep -lE '^.include <$1>' /dev/null $(SRCS) $(TEST_SRCS)),$2)
LDLIBS += $(call uses,jansson.h,-ljansson)
LDLIBS += $(call uses,bpf/libbpf.h,-lbpf -lelf -lz)
LDLIBS += $(call uses,zlib.h,-lz)
LDLIBS += $(call uses,ncurses.h,$(or $(shell pkg-config --libs-only-l ncursesw 2>/dev/null),-lncursesw))
LDLIBS += $(call uses,libiberty/demangle.h,-liberty)
LDLIBS += $(call uses,lzma.h,-llzma)
LDLIBS += $(call uses,elfutils/libdw.h,-ldw)
LDLIBS += $(call uses,perfmon/pfmlib_perf_event.h,-lpfm)
LDLIBS += -lm

COMPLETIONS := $(addprefix $(B)/completions/sixty.,bash zsh fish)

# --- build -------------------------------------------------------------------------------------

.PHONY: all
all: $(if $(MAIN),$(B)/sixty $(COMPLETIONS)) $(B)/tests/unit $(WORKLOADS) $(TEST_TOOLS) ## build sixty and what tests it

$(B)/sixty: $(OBJS) $(B)/objects
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJS) $(LDLIBS)

$(B)/tests/unit: $(LIB_OBJS) $(TEST_OBJS) $(B)/objects
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(LIB_OBJS) $(TEST_OBJS) $(LDLIBS)

# From the program's own tables.
$(B)/completions/sixty.%: $(B)/sixty
	@mkdir -p $(@D)
	@$< generate $* >$@

# One file, one program, whose stacks are as they are written.
$(B)/tests/workloads/%: tests/workloads/%.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) \
	  -fno-omit-frame-pointer -fno-optimize-sibling-calls -pthread -o $@ $<

# What looks at the insides of sixty: one file, linked with everything but main().
$(B)/tests/tools/%: $(B)/obj/tests/tools/%.o $(LIB_OBJS) $(B)/objects
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIB_OBJS) $(LDLIBS)

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/bpf/sixty.bpf.o: $(BPF_SRCS) $(wildcard bpf/*.h) $(B)/flags
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)printf '#include "%s"\n' $(BPF_SRCS) | $(BPF_CLANG) $(BPF_FLAGS) -x c -c - -o $@
	$(Q)$(BPF_STRIP) -g $@

$(B)/obj/collectors/bpf_object.o: $(B)/bpf/sixty.bpf.o
$(B)/obj/collectors/bpf_object.o: private CPPFLAGS += -DSIXTY_BPF_OBJECT='"$(B)/bpf/sixty.bpf.o"'

# The style and the script of every SVG, taken in as they are.
$(B)/obj/flamegraph/assets.o: flamegraph/flame.css flamegraph/flame.js

# Names of syscalls: the numbers are the architecture's own.
$(B)/syscalls.h: $(B)/flags
	@mkdir -p $(@D)
	$(Q)printf '#include <sys/syscall.h>\n' | $(CC) -E -dM - | \
	  sed -n 's/^.define SYS_\([a-z0-9_]*\) .*/SYSCALL(\1)/p' | LC_ALL=C sort >$@

$(B)/obj/collectors/bpf_syscalls.o: $(B)/syscalls.h

# What the build depends on besides files: compile again with another compiler or other flags,
# link again without a source that was removed. These files change only when their contents do.
$(B)/flags: said = $(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(BPF_CLANG) $(BPF_FLAGS)
$(B)/objects: said = $(ALL_LDFLAGS) $(OBJS) $(TEST_OBJS) $(LDLIBS)
$(B)/flags $(B)/objects: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(said))' >$@.new
	@if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi

.PHONY: FORCE
FORCE:

.SECONDARY: $(TEST_TOOLS:$(B)/%=$(B)/obj/%.o)

-include $(OBJS:.o=.d) $(TEST_OBJS:.o=.d) $(TEST_TOOLS:$(B)/%=$(B)/obj/%.d)

.PHONY: deps
deps: ## install what is missing to build and to test
	@tools/deps build test

.PHONY: run
run: ## install what is missing, build, start sixty (ARGS="top")
	@tools/deps build
	@$(MAKE) all
	@$(B)/sixty $(ARGS)

.PHONY: install
install: $(B)/sixty $(COMPLETIONS) ## copy the program, manual pages and completions below DESTDIR/PREFIX
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 755 $(B)/sixty '$(DESTDIR)$(PREFIX)/bin/sixty'
	@set -e; put() { \
	  test -f "$$1" || return 0; \
	  install -d "$$2"; echo install -m 644 "$$1" "$$2/$$3"; install -m 644 "$$1" "$$2/$$3"; \
	}; share='$(DESTDIR)$(PREFIX)/share'; \
	for m in docs/man/*.1; do put "$$m" "$$share/man/man1" "$${m##*/}"; done; \
	put $(B)/completions/sixty.bash "$$share/bash-completion/completions" sixty; \
	put $(B)/completions/sixty.zsh "$$share/zsh/site-functions" _sixty; \
	put $(B)/completions/sixty.fish "$$share/fish/vendor_completions.d" sixty.fish

.PHONY: dist
dist: ## build/sixty-VERSION.tar.gz of what is committed
	@mkdir -p $(OUT)
	git archive --format=tar.gz --prefix=sixty-$(VERSION)/ \
	  -o $(OUT)/sixty-$(VERSION).tar.gz HEAD

.PHONY: clean
clean: ## remove build/
	rm -rf $(OUT)

# --- tests -------------------------------------------------------------------------------------

# Every executable tests/suites/NAME.sh is a suite called NAME; unit is the one that is linked.
ALL_SUITES   := unit $(patsubst tests/suites/%.sh,%,$(sort $(shell \
                  find tests/suites -maxdepth 1 -name '*.sh' -perm -u+x 2>/dev/null)))
QUICK_SUITES := $(filter unit golden tools,$(ALL_SUITES))
SUITES       ?= $(ALL_SUITES)
TEST_TIMEOUT ?= 900
FUZZ_SECONDS ?= 3

# For suites: where the build is, and whether to print every line.
RUN_TESTS = FUZZ_SECONDS='$(FUZZ_SECONDS)' MAKE='$(MAKE)' CC='$(CC)' B='$(B)' V='$(V)' TEST_TIMEOUT='$(TEST_TIMEOUT)' tests/run

.PHONY: test
test: ## install what is missing, build, run every suite (SUITES="unit golden")
	@tools/deps build test
	@$(MAKE) all
	@$(RUN_TESTS) $(SUITES)

.PHONY: check
check: all ## build and run the quick suites; installs nothing
	@$(RUN_TESTS) $(QUICK_SUITES)

.PHONY: coverage
coverage: ## executed lines of base/ and model/; fails below 90 %
	@$(MAKE) COV=1 CFLAGS=-g coverage-report

.PHONY: coverage-report
coverage-report: all
	@find $(B) -name '*.gcda' -delete
	@$(B)/tests/unit >$(B)/unit.log || { grep -v '^ok ' $(B)/unit.log; exit 1; }
	@tools/coverage 90 $(B)/obj base model

.PHONY: fuzz
fuzz: ## a few seconds of every fuzz target (FUZZ_SECONDS=3)
	@$(RUN_TESTS) fuzz

# libFuzzer is clang's: make FUZZ=1 CC=clang build/fuzz/NAME links tests/fuzz/NAME.c with everything but main().
ifdef FUZZ
$(B)/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(LIB_OBJS)
	$(call say,FUZZ,$@)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(MODE_LDFLAGS) -o $@ $< $(LIB_OBJS) $(LDLIBS)
endif

.PHONY: bench
bench: all ## measure: every executable tests/bench/*.sh
	@set -e; found=; for b in tests/bench/*.sh; do \
	  test -x "$$b" || continue; found=1; echo "== $$b"; B='$(B)' "$$b"; \
	done; test -n "$$found" || { echo 'there is no tests/bench/*.sh' >&2; exit 1; }

# --- source ------------------------------------------------------------------------------------

C_FILES  = $(sort $(wildcard $(foreach f,$(FOLDERS) bpf tests/unit tests/fuzz tests/workloads tests/tools tests/profile,$f/*.[ch])))
SH_FILES = $(sort $(wildcard tests/suites/*.sh tests/bench/*.sh) $(shell \
             grep -lE '^.!(/usr)?/bin/(env )?(ba)?sh' /dev/null tools/* tests/run .ci/run 2>/dev/null))

.PHONY: lint
lint: ## includes, licences, shellcheck, cppcheck, format
	@tools/include-matrix
	@tools/lint-shell $(SH_FILES)
	@tools/lint-c $(C_FILES)

.PHONY: format
format: ## rewrite C files with clang-format
	clang-format -i $(C_FILES)

.PHONY: docs
docs: $(B)/sixty ## write the generated pages: docs/metrics.md, docs/rules.md, docs/man/sixty.1
	$(B)/sixty list metrics --markdown -o docs/metrics.md
	$(B)/sixty list rules --markdown -o docs/rules.md
	$(B)/sixty generate man >docs/man/sixty.1

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' Makefile | \
	  while IFS=@ read -r target text; do printf '%-18s %s\n' "$$target" "$$text"; done
