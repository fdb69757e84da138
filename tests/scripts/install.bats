#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# make install and make uninstall: what they install, and that nothing of it stays.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	root=$BATS_TEST_TMPDIR/root
	conf=$root/etc/hbpf.conf
}

# run_make TARGET [VARIABLE=VALUE]... - without building, even if files are not up to date
run_make()
{
	[[ -x build/hbpf ]] || skip "no build/hbpf; make builds it"
	env -u MAKEFLAGS -u MAKELEVEL make -o all "$1" DESTDIR="$root" "${@:2}"
}

files()
{
	(cd "$root" && find . ! -type d -printf '%P\n' | LC_ALL=C sort)
}

@test "uninstall removes what install created" {
	run_make install
	files
	[ "$(files | grep -v '/docs/\|/dist/')" = "\
etc/hbpf.conf
usr/local/lib/systemd/system/hbpf.service
usr/local/sbin/hbpf
usr/local/share/bash-completion/completions/hbpf
usr/local/share/doc/hbpf/COPYING
usr/local/share/doc/hbpf/NEWS
usr/local/share/doc/hbpf/README.md
usr/local/share/fish/vendor_completions.d/hbpf.fish
usr/local/share/man/man5/hbpf-json.5
usr/local/share/man/man5/hbpf.conf.5
usr/local/share/man/man8/hbpf-doctor.8
usr/local/share/man/man8/hbpf.8
usr/local/share/zsh/site-functions/_hbpf" ]
	cmp docs/SERVICES.md "$root/usr/local/share/doc/hbpf/docs/SERVICES.md"
	grep -aqF /usr/local/share/doc/hbpf/docs/SERVICES.md build/hbpf
	cmp build/hbpf "$root/usr/local/sbin/hbpf"
	run_make uninstall
	[ -z "$(files)" ]
	[ ! -e "$root/usr/local/share/doc/hbpf" ]
	run_make uninstall # having nothing to remove is not an error
}

@test "an edited configuration stays, whatever is installed and uninstalled" {
	run_make install
	echo "labels = yes" >>"$conf"
	cp "$conf" "$BATS_TEST_TMPDIR/mine"
	run_make install
	run_make uninstall
	[ "$(files)" = "etc/hbpf.conf" ]
	cmp "$conf" "$BATS_TEST_TMPDIR/mine"
}

@test "other files beside the documents stay" {
	run_make install
	echo mine >"$root/usr/local/share/doc/hbpf/docs/mine"
	run_make uninstall
	[ "$(files)" = "usr/local/share/doc/hbpf/docs/mine" ]
}

@test "with another prefix, unit and manual name the installed files" {
	run_make install PREFIX=/opt/hbpf DOCDIR=/opt/doc
	grep -qx 'ExecStart=/opt/hbpf/sbin/hbpf watch' "$root/opt/hbpf/lib/systemd/system/hbpf.service"
	grep -q '^\.It Pa /opt/doc/README\.md , /opt/doc/docs/' "$root/opt/hbpf/share/man/man8/hbpf.8"
	run ! grep -r /usr/local "$root/opt"/*/share/man "$root/opt/hbpf/lib"
	[ -e "$root/opt/doc/docs/SERVICES.md" ]
	run_make uninstall PREFIX=/opt/hbpf DOCDIR=/opt/doc
	[ -z "$(files)" ]
}
