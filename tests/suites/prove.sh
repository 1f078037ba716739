#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sixty doctor --prove: every program is spoken of, nothing is wrong on this kernel, a wrong one would be noticed, and nothing is
# left behind, however it ends.
# timeout: 300
# live
set -u
export LC_ALL=C.UTF-8

sixty=$PWD/${B:-build}/sixty
here=$(dirname "$0")/..
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# shellcheck source=tests/suites/lib.sh
. "$here/suites/lib.sh"

for python in python3 /usr/bin/python3 ''; do
	[ -z "$python" ] || "$python" -c 'import jsonschema' 2>/dev/null && break
done
[ -n "$python" ] || {
	echo 'skip prove: no jsonschema for Python'
	exit 0
}

if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
	cp "$sixty" "$dir/sixty"
	chmod 755 "$dir" "$dir/sixty"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/sixty" doctor --prove >"$dir/out" 2>"$dir/err"
	[ $? = 1 ] && [ ! -s "$dir/out" ] && grep -q 'it takes root (sudo sixty doctor --prove)' "$dir/err"
	check without_root_it_says_how_to_get_it $? "$(cat "$dir/err")"
fi
if [ "$(id -u)" != 0 ] || ! "$sixty" hist cpudist -d 0.1 >/dev/null 2>"$dir/err"; then
	echo "skip prove: needs root and eBPF: $(head -n 1 "$dir/err" 2>/dev/null)"
	exit 0
fi

# What there is of ours: control groups, loop devices with their files, processes, namespaces of networks.
ours() {
	find /sys/fs/cgroup -maxdepth 3 -type d -name 'sixty-prove-*' 2>/dev/null
	grep -l sixty /sys/block/loop*/loop/backing_file 2>/dev/null
	for f in /sys/block/loop*/loop/backing_file; do
		[ ! -e "$f" ] || grep -H '(deleted)' "$f"
	done
	pgrep -a -f 'doctor --prov[e]|sixty-janitor'
	lsns -t net -n -o COMMAND 2>/dev/null | grep 'doctor --prove'
}

gone() {
	for _ in $(seq 100); do
		[ -n "$(ours)" ] || return 0
		sleep 0.05
	done
	return 1
}

settings() {
	sysctl -a 2>/dev/null | grep -v -e '^kernel.random' -e '^fs\.\(file\|inode\|dentry\)' -e 'ns_last_pid' -e 'nf_conntrack_count' -e '^kernel.ns_last' -e perf_event_max_sample -e '^kernel.pty.nr' -e '^fs.quota' -e '^fs.aio-nr' -e '^net.netfilter' -e '^vm.stat_refresh'
	cat /proc/self/mountinfo
	grep -H . /sys/block/*/queue/iostats /sys/class/bdi/*/max_ratio 2>/dev/null
}

before=$(settings)
"$sixty" doctor --prove --json >"$dir/json" 2>"$dir/err"
status=$?
"$python" "$here/schema/check.py" "$here/schema/prove.schema.json" "$dir/json" >"$dir/why" 2>&1
check json_is_what_the_schema_says $? "$(cat "$dir/why" "$dir/err")"
jq -e '.wrong == 0' "$dir/json" >/dev/null
check nothing_is_wrong_on_this_kernel $? "$(jq -c '[.proofs[] | select(.verdict == "wrong") | [.program, .did, .measured, .known]]' "$dir/json")"
[ $status = "$(jq 'if .wrong > 0 then 1 else 0 end' "$dir/json")" ]
check the_exit_status_tells_it $? "$status"
jq -e '(.pass + .wrong + .cannot) == (.proofs | length) and .pass >= 40' "$dir/json" >/dev/null
check most_can_be_proved $? "$(jq -c '[.pass, .wrong, .cannot]' "$dir/json") $(jq -c '[.proofs[] | select(.verdict == "cannot") | [.program, .why]]' "$dir/json")"
jq -e 'all(.proofs[]; if .verdict == "cannot" then .why != null and .measured == null else .why == null and .did != null and .measured != null and .known != null end)' "$dir/json" >/dev/null
check each_line_has_its_reason_or_its_numbers $? "$(jq -c . "$dir/json" | head -c 400)"
"$sixty" doctor --json >"$dir/doctor"
jq -en --slurpfile p "$dir/json" --slurpfile d "$dir/doctor" '[$d[0].programs[].name] - [$p[0].proofs[].program] == []' >/dev/null
check every_program_is_spoken_of $? "$(jq -c '[.programs[].name]' "$dir/doctor")"
jq -e '[.proofs[].why] | index("nobody has said how") == null' "$dir/json" >/dev/null
check and_has_a_proof_or_a_reason_of_its_own $? "$(jq -c '[.proofs[] | select(.why == "nobody has said how") | .program]' "$dir/json")"
grep -q 'changes no setting' "$dir/err" && grep -q 'loop device' "$dir/err" && grep -q 'control group' "$dir/err"
check it_says_before_what_it_does $? "$(cat "$dir/err")"
gone
check nothing_is_left_behind $? "$(ours)"
diff <(echo "$before") <(settings) >"$dir/why"
check no_setting_and_no_mount_is_changed $? "$(cat "$dir/why")"

jq -c '.proofs[0].verdict = "perhaps"' "$dir/json" >"$dir/bad"
! "$python" "$here/schema/check.py" "$here/schema/prove.schema.json" "$dir/bad" >/dev/null 2>&1
check schema_refuses_another_verdict $? ''

# However it ends, and whenever: while it prepares, loads programs, lets them measure.
for signal in KILL TERM INT; do
	for delay in 0.05 0.3 0.8 1.6; do
		"$sixty" doctor --prove >"$dir/out" 2>"$dir/err" &
		pid=$!
		sleep $delay
		kill -$signal $pid 2>/dev/null
		wait $pid 2>/dev/null
		gone || break
	done
	gone
	check "nothing_is_left_after_sig${signal,,}" $? "after $delay s: $(ours)"
done
[ ! -s "$dir/out" ] || grep -q 'passed' "$dir/out"
check what_is_interrupted_prints_no_half $? "$(cat "$dir/out")"

# A copy that was killed with its janitor has left a group: the next one removes it.
sh -c 'exit 0' &
dead=$!
wait $dead
for at in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
	[ -d $at ] && mkdir "$at/sixty-prove-$dead" 2>/dev/null && break
done
"$sixty" doctor --prove --columns 60 >"$dir/out" 2>"$dir/err"
gone
check what_a_killed_one_left_is_removed $? "$(ours)"
[ "$(wc -L <"$dir/out")" -le 60 ]
check text_fits_60_columns $? "$(wc -L <"$dir/out")"

# Where something cannot be made, the rest is proved.
without() {
	local name=$1 what=$2 command=$3
	# shellcheck disable=SC2016 # the inner shell's
	if ! unshare -m sh -c 'exec 9<"$0" && '"$command"' && exec /proc/self/fd/9 doctor --prove --json' "$sixty" >"$dir/json" 2>"$dir/err"; then
		grep -q . "$dir/json" || {
			echo "not ok $name: $(tail -n 2 "$dir/err")"
			return
		}
	fi
	jq -e --arg w "$what" '.pass >= 20 and .wrong == 0 and ([.proofs[] | select(.verdict == "cannot" and (.why | contains($w)))] | length >= 1)' "$dir/json" >/dev/null
	check "$name" $? "$(jq -c '[.pass, .wrong, .cannot], [.proofs[] | select(.verdict != "pass") | [.program, .why // .measured]]' "$dir/json" | head -c 500)"
}
if command -v unshare >/dev/null; then
	without no_loop_device_is_told_and_the_rest_proved 'no loop devices' 'mkdir -p /tmp/.none && mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3'
	without no_control_group_is_told_and_the_rest_proved 'control group' 'umount -l /sys/fs/cgroup'
	# shellcheck disable=SC2016 # the inner shell's
	without no_disk_is_told_and_the_rest_proved 'no file without a name' 'cd / && for d in /var/tmp /tmp /var/lib /root; do mount -t tmpfs none $d || exit 1; done; cd /tmp'
fi
