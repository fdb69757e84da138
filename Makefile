# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets. Everything that is made goes below build/.
#
#   V=1              show the commands
#   WERROR=1         warnings are errors
#   STATIC=1         link everything statically: `make static`
#   BUILD=dir        put everything there instead
#   VMLINUX_H=file   kernel types from there (bpftool btf dump file /sys/kernel/btf/vmlinux
#                    format c) instead of vmlinux/vmlinux.h

BUILD   ?= build
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
DOCDIR  ?= $(PREFIX)/share/doc/hbpf
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc

ifeq ($(origin CC),default)
CC = gcc
endif
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
# Ubuntu has one for each kernel, and a bpftool that looks for the one of the running kernel only. Debian
# has it in /usr/sbin, which is not on everyone's PATH.
BPFTOOL    ?= $(or $(lastword $(wildcard /usr/lib/linux-tools/*/bpftool)), \
		$(shell PATH="$$PATH:/usr/sbin"; command -v bpftool),bpftool)
LLVM_STRIP ?= $(shell command -v llvm-strip)
# The version .clang-format and .clang-tidy were written for, where there are several.
CLANG_FORMAT ?= $(or $(shell command -v clang-format-14),clang-format)
CLANG_TIDY   ?= $(or $(shell command -v clang-tidy-14),clang-tidy)

CPPFLAGS ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
CFLAGS  ?= -O2 -g -fstack-protector-strong -fPIE
LDFLAGS ?= -pie -Wl,-z,relro -Wl,-z,now

ifdef STATIC
LDFLAGS = -static-pie -s -Wl,-z,relro -Wl,-z,now
endif

WARNINGS      = -Wall -Wextra $(if $(WERROR),-Werror)
# Expanded in recipes only, so that `make help` and `make deps` work before pkg-config is there.
PACKAGES      = libbpf libelf zlib libmnl json-c
# Loaded by who needs it (loader/engine/libcurl.h), so only its headers count here.
LOADED        = libcurl
LOADER_CFLAGS = -std=gnu11 $(WARNINGS) -D_GNU_SOURCE $(STATIC:%=-DHBPF_STATIC) -Iinclude -Iloader -I$(BUILD) \
		$(shell $(PKG_CONFIG) --cflags $(PACKAGES) $(LOADED))
LOADER_LIBS   = $(shell $(PKG_CONFIG) $(STATIC:%=--static) --libs $(PACKAGES))
# The same object in every folder: BTF has the paths of the sources. And with every compiler: v1 is what
# clang 14 and 19 take by default, but clang 21 takes v3, whose atomic instructions 5.10 rejects.
BPF_CFLAGS    = -target bpf -mcpu=v1 -O2 -g -std=gnu11 $(WARNINGS) $(VMLINUX_FLAGS) -Iinclude -Ibpf -Ivmlinux \
		-ffile-prefix-map=$(CURDIR)=.
UNIT_CFLAGS   = -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer

ifdef VMLINUX_H
ifneq ($(notdir $(VMLINUX_H)),vmlinux.h)
$(error VMLINUX_H=$(VMLINUX_H): the file must be named vmlinux.h, as the sources include it)
endif
# CO-RE relocations, which bpftool's header asks for, would need BTF in the running kernel. Newer ones
# declare kernel functions, too, which the sources do themselves.
VMLINUX_FLAGS = -I$(dir $(VMLINUX_H)) -DBPF_NO_PRESERVE_ACCESS_INDEX -DBPF_NO_KFUNC_PROTOTYPES
endif

C_FILES     = $(shell find bpf include loader tests vmlinux -name '*.[ch]')
OBJ        ?= $(BUILD)/obj
LOADER_C   := $(wildcard loader/*.c loader/*/*.c)
LOADER_OBJ := $(LOADER_C:%.c=$(OBJ)/%.o)
SKELETONS  := $(BUILD)/hbpf.skel.h $(BUILD)/hbpf_nat_bypass.skel.h
GENERATED  := $(SKELETONS) $(BUILD)/docdir.h

# Installed with the same folders, so that the links between them work. They link to no other files.
DOCS := README.md NEWS COPYING $(wildcard docs/*.md docs/*.svg docs/json-schema/*.json dist/prometheus/*)

MANUALS := man8/hbpf.8 man8/hbpf-doctor.8 man5/hbpf.conf.5 man5/hbpf-json.5

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_BIN   := $(UNIT_TESTS:%=$(BUILD)/unit/%)
UNIT_LIB   := $(OBJ)/unit/loader.a
UNIT_OBJ   := $(patsubst %.c,$(OBJ)/unit/%.o,$(filter-out loader/main.c,$(LOADER_C)))

ifeq ($(V),1)
Q   =
say =
else
Q   = @
say = @printf '  %-6s %s\n' $(1) $(2)
MAKEFLAGS += --no-print-directory
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: help all static bpf objects tidy unit fuzzers fuzz format format-check deps check demo test test-all \
	test-unit test-memcheck test-bpf test-fuzz test-e2e test-crash test-docker test-engines \
	test-services test-firewalls test-kernels test-distro test-packages bench deb rpm install uninstall \
	clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

all: $(BUILD)/hbpf ## build the tool, build/hbpf (default)
	@:

static: ## build build/static/hbpf, one file that needs no libraries
	+@$(MAKE) STATIC=1 BUILD=$(BUILD)/static

bpf: $(SKELETONS) ## build the BPF objects and their skeletons
	@:

format: ## put the C files into the form .clang-format asks for
	$(Q)$(CLANG_FORMAT) -i $(C_FILES)

# For tests/check: formatting; compile without linking; the linter with the compiler's flags.
format-check:
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)

objects: $(LOADER_OBJ) $(UNIT_TESTS:%=$(OBJ)/unit/%.o)
	@:

# A file is looked at again once it, a header of its own or the checks have changed.
tidy: $(LOADER_C:loader/%.c=$(BUILD)/tidy/%.ok)
	@:

$(BUILD)/tidy/%.ok: loader/%.c .clang-tidy $(OBJ)/loader.flags | $(GENERATED)
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG_TIDY) --quiet $< -- $(LOADER_CFLAGS)
	$(Q)$(CC) $(LOADER_CFLAGS) -MM -MP -MT $@ -MF $(@:.ok=.d) $< && touch $@

unit: $(UNIT_BIN) ## build the unit tests, build/unit/test_*
	@:

fuzzers: all
	+$(Q)$(MAKE) -f tests/fuzz/Makefile BUILD=$(BUILD) CLANG=$(CLANG) $(if $(Q),-s)

deps: ## install what build and tests need (root, apt)
	@scripts/deps build test

check: ## formatting, linters, and no warnings with gcc and clang
	@scripts/test check tidy

demo: ## show the tool at work in a throw-away sandbox (root)
	@scripts/demo

test: ## run the quick set of checks and tests (root)
	@scripts/test

test-all: ## run every check and test, which takes long (root)
	@scripts/test all

test-unit: ## unit tests
	@scripts/test unit

test-bpf: ## packets through the BPF programs (root)
	@scripts/test bpf

test-e2e: ## the tool end to end, in network namespaces (root)
	@scripts/test e2e

# Every instant of every command, which takes long; `scripts/test all` tries a few of each.
test-crash: ## kill and fail the tool's commands at every system call (root)
	@HBPF_INSTANTS=999 HBPF_TEST_TIMEOUT=7200 scripts/test tests/e2e/crash.bats \
		tests/e2e/inject.bats

test-docker: ## the tool with a real dockerd (root)
	@scripts/test docker

test-services: ## real services behind the tool (root)
	@scripts/test services

test-kernels: ## packets and the core of e2e on Debian's kernels, under qemu (root)
	@scripts/test kernels

test-packages: ## build packages and install them in clean Debians (root)
	@scripts/test packages

test-engines: ## networks as engines make them; ENGINE=docker-sid: with another Debian's engine (root)
	@$(if $(ENGINE),$(MAKE) -s all && tests/engines/run $(ENGINE),scripts/test engines)

test-firewalls: ## the tool beside ufw, firewalld and other rules (root)
	@scripts/test firewalls

test-distro: ## build, demo and quick set in another Debian: SUITE=trixie (root)
	@tests/distro/test $(or $(SUITE),trixie)

test-memcheck: ## unit tests under valgrind
	@scripts/test memcheck

test-fuzz: ## random packets and words, a short run (root)
	@scripts/test fuzz

fuzz: ## the same, a long run: SEEDS="3 4 5 6" PACKETS=1000000 RUNS=200000 (root)
	@SEEDS="$(or $(SEEDS),3 4 5 6)" PACKETS=$(or $(PACKETS),1000000) RUNS=$(or $(RUNS),200000) \
		scripts/test fuzz

bench: all ## compare speed with the alternatives, 45 minutes (root)
	@scripts/bench

deb: ## build a Debian package, build/deb/hbpf_*.deb
	@scripts/deb

rpm: ## build an RPM package, build/rpm/RPMS/*/hbpf-*.rpm
	@scripts/rpm

install: all ## install to DESTDIR and PREFIX (/usr/local)
	install -D -m 755 $(BUILD)/hbpf $(DESTDIR)$(SBINDIR)/hbpf
	for page in $(MANUALS); do \
		install -D -m 644 docs/$${page#*/} $(DESTDIR)$(MANDIR)/$$page || exit; \
	done
	sed -i 's|/usr/local/share/doc/hbpf|$(DOCDIR)|g' $(DESTDIR)$(MANDIR)/man8/hbpf*.8 \
		$(DESTDIR)$(MANDIR)/man5/hbpf-json.5
	for file in $(DOCS); do install -D -m 644 $$file $(DESTDIR)$(DOCDIR)/$$file || exit; done
	install -D -m 644 dist/hbpf.bash $(DESTDIR)$(BASHCOMPDIR)/hbpf
	install -D -m 644 dist/hbpf.zsh $(DESTDIR)$(ZSHCOMPDIR)/_hbpf
	install -D -m 644 dist/hbpf.fish $(DESTDIR)$(FISHCOMPDIR)/hbpf.fish
	install -D -m 644 dist/hbpf.service $(DESTDIR)$(UNITDIR)/hbpf.service
	sed -i 's|/usr/local/sbin|$(SBINDIR)|' $(DESTDIR)$(UNITDIR)/hbpf.service
	@# what somebody wrote there stays
	test -e $(DESTDIR)$(SYSCONFDIR)/hbpf.conf || \
		install -D -m 644 dist/hbpf.conf $(DESTDIR)$(SYSCONFDIR)/hbpf.conf

uninstall: ## remove what install put there; a changed hbpf.conf stays
	rm -f $(DESTDIR)$(SBINDIR)/hbpf $(DESTDIR)$(UNITDIR)/hbpf.service \
		$(DESTDIR)$(BASHCOMPDIR)/hbpf $(DESTDIR)$(ZSHCOMPDIR)/_hbpf \
		$(DESTDIR)$(FISHCOMPDIR)/hbpf.fish $(MANUALS:%=$(DESTDIR)$(MANDIR)/%) \
		$(DOCS:%=$(DESTDIR)$(DOCDIR)/%)
	@# what is not there, or not empty, is no failure
	rmdir $(addprefix $(DESTDIR)$(DOCDIR)/,docs/json-schema docs dist/prometheus dist) \
		$(DESTDIR)$(DOCDIR) 2>/dev/null || :
	@# what somebody wrote there stays
	! cmp -s dist/hbpf.conf $(DESTDIR)$(SYSCONFDIR)/hbpf.conf || \
		rm $(DESTDIR)$(SYSCONFDIR)/hbpf.conf

clean: ## remove build/
	rm -rf $(BUILD)

# --- BPF programs: one source, built without and with NAT bypass -----------------------

BPF_OBJ := $(SKELETONS:.skel.h=.bpf.o)

$(BUILD)/hbpf_nat_bypass.bpf.o: BPF_CFLAGS += -DHBPF_NAT_BYPASS
$(BPF_OBJ): %.o: bpf/hbpf.bpf.c %.flags
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
	$(if $(LLVM_STRIP),$(Q)$(LLVM_STRIP) -g $@) # DWARF goes, BTF stays

$(SKELETONS): %.skel.h: %.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(*F)_bpf > $@

# --- loader ------------------------------------------------------------------------------------

$(BUILD)/hbpf: $(LOADER_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LOADER_LIBS) -o $@

$(OBJ)/loader/%.o: loader/%.c $(OBJ)/loader.flags | $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

# --- unit tests --------------------------------------------------------------------------------

# From the archive each test takes the parts that it calls.
$(UNIT_BIN): $(BUILD)/unit/%: $(OBJ)/unit/%.o $(UNIT_LIB)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) $^ -lcmocka $(LOADER_LIBS) -o $@

$(UNIT_LIB): $(UNIT_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(OBJ)/unit/loader/%.o: loader/%.c $(OBJ)/loader.flags | $(GENERATED)
	$(call say,CC,"$< (unit)")
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/unit/%.o: tests/unit/%.c $(OBJ)/loader.flags | $(GENERATED)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

# --- variables: a file's time moves only when its text does, and what depends is rebuilt ---

# -Werror makes no difference to what comes out.
flags    = $(filter-out -Werror,$(1))
remember = mkdir -p $(@D) && echo '$(flags)' | cmp -s - $@ || echo '$(flags)' > $@

# Make passes on to them the BPF_CFLAGS of the object that they belong to.
$(BPF_OBJ:.o=.flags): FORCE
	@$(call remember,$(CLANG) $(BPF_CFLAGS))

$(OBJ)/loader.flags: FORCE
	@! $(PKG_CONFIG) --exists libbpf || $(PKG_CONFIG) --atleast-version=1.0 libbpf || { \
		echo "libbpf $$($(PKG_CONFIG) --modversion libbpf) is too old: hbpf needs 1.0 or newer" >&2; exit 1; }
	@$(call remember,$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LOADER_CFLAGS) $(UNIT_CFLAGS))

$(BUILD)/docdir.h: FORCE
	@$(call remember,#define HBPF_DOCDIR "$(DOCDIR)")

-include $(wildcard $(BUILD)/*.d $(OBJ)/unit/*.d $(LOADER_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) $(LOADER_C:loader/%.c=$(BUILD)/tidy/%.d))
