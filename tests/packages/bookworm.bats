#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The Debian package, on a clean Debian. The links to this file, named after other suites, run the same
# there. tests/packages/build makes the packages, tests/packages/trial has the trials.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	SUITE=$(basename "$BATS_TEST_FILENAME" .bats)
	packages=build/packages/$SUITE
	[[ -e $packages/made-of ]] || skip "tests/packages/build $SUITE has not built the packages"
}

# clean_root - a copy of the clean root in memory, at $top/root, and the packages in $top/root.build
clean_root()
{
	[[ -n $HBPF_BPFFS ]] # in tests/sandbox
	top=/run/tmp/packages
	mkdir -p "$top"
	mount -t tmpfs tmpfs "$top"
	mkdir -p "$top"/{upper,work,root,root.build}
	mount -t overlay -o "volatile,lowerdir=build/distro/$SUITE/clean,upperdir=$top/upper,workdir=$top/work" \
		overlay "$top/root"
	cp -r "$packages"/{one,older,layout} "$top/root.build/"
}

teardown()
{
	[[ ! -v top ]] || umount "$top/root" "$top"
}

ended_well()
{
	echo "$output"
	[[ ${lines[-1]} == "the trial has ended well" ]]
}

# trial NAME
trial()
{
	clean_root
	run unshare --net tests/distro/enter "$top/root" tests/packages/trial "$1" 3>&-
	ended_well
}

# trial_under_systemd NAME
trial_under_systemd()
{
	local units
	command -v systemd-nspawn || skip "no systemd-nspawn"
	clean_root
	units=$top/root/etc/systemd/system
	mkdir -p "$top/root/hbpf" "$units/multi-user.target.wants"
	ln -s ../trial.service "$units/multi-user.target.wants/"
	cat >"$units/trial.service" <<-END
		[Unit]
		SuccessAction=poweroff-force
		FailureAction=poweroff-force
		[Service]
		Type=oneshot
		ExecStart=/hbpf/tests/packages/trial $1
		StandardOutput=file:/trial.log
		StandardError=inherit
	END
	# New versions of systemd want cgroups v2 only.
	# shellcheck disable=SC2016 # for the shell inside
	SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 unshare --mount bash -c '
		umount --recursive --lazy /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
		exec timeout -s KILL 600 "$@"' bash \
		systemd-nspawn --quiet --directory="$top/root" --bind-ro="$PWD:/hbpf" \
		--bind="$top/root.build:/hbpf/build" --private-network --capability=all \
		--system-call-filter="bpf perf_event_open" --register=no --keep-unit --machine=hbpf-trial \
		--console=pipe --boot </dev/null >"$top/console" 2>&1 3>&- || cat "$top/console"
	run cat "$top/root/trial.log"
	ended_well
}

@test "two builds in different folders give the same package, and lintian has no warnings" {
	local file
	ls "$packages/one/"hbpf_*.deb
	for file in "$packages"/one/*.deb; do
		cmp "$file" "$packages/two/${file##*/}"
	done
	run -0 cat "$packages/lintian"
	[ -z "$output" ]
}

@test "on a clean Debian apt installs it, and sudo hbpf works at once" {
	trial installed
}

@test "the unit is there and off, manuals and completion work, libcurl is recommended by its name" {
	trial integrated
}

@test "removing the package detaches all bridges and restores the host; purging removes the configuration" {
	trial removed
}

@test "an upgrade interrupts no connection, and attach then takes the new programs" {
	trial upgraded
}

@test "after an upgrade to another layout connections go on, and attach and watch print the step to take" {
	trial upgraded_layout
}

@test "removing the package restores the host also after an upgrade to another layout" {
	trial removed_layout
}

@test "the program of make static runs without any library" {
	[[ $SUITE == sid ]] || skip "only sid has all static libraries"
	trial static
}

@test "under systemd the unit works as restricted, reload checks the file, upgrades restart it, removal stops it" {
	trial_under_systemd serviced
}
