# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What a guest does: known work, and looks at it by hand before and after each look of sixty.

snap() {
	# shellcheck disable=SC2013 # paths have no blanks
	for f in $(cat /files); do
		mkdir -p "/out/$1/${f%/*}"
		cat "/$f" >"/out/$1/$f" 2>/dev/null || rm -f "/out/$1/$f"
	done
	mkdir -p "/out/$1/cgroup"
	for f in cpu.stat memory.current memory.max memory.events io.stat pids.current pids.max cgroup.events cpu.max; do
		cat "/sys/fs/cgroup/busy/$f" >"/out/$1/cgroup/$f" 2>/dev/null || rm -f "/out/$1/cgroup/$f"
	done
}

# A group with a quota that it meets, a limit it does not meet, and one busy process in it.
mkdir /sys/fs/cgroup/busy
echo '10000 50000' >/sys/fs/cgroup/busy/cpu.max
echo 67108864 >/sys/fs/cgroup/busy/memory.max
echo 50 >/sys/fs/cgroup/busy/pids.max
sh -c 'echo $$ >/sys/fs/cgroup/busy/cgroup.procs; while :; do :; done' &
busy=$!
echo 1 >/proc/sys/kernel/sched_schedstats
[ ! -b /dev/vda ] || dd if=/dev/vda of=/dev/null bs=65536 count=100

snap before
/sixty triage -d 2 --format openmetrics >/out/openmetrics || echo "openmetrics: exit status $?"
snap after
/sixty triage -d 2 --json >/out/report.json || echo "json: exit status $?"
/sixty triage -d 1 --verbose >/out/report.txt || echo "text: exit status $?"
/sixty capture -d 1 -n 2 /out/capture || echo "capture: exit status $?"
/sixty doctor --json >/out/doctor.json || echo "doctor --json: exit status $?"
/sixty doctor >/out/doctor.txt || echo "doctor: exit status $?"
kill $busy
/sixty doctor --prove --json >/out/prove.json 2>/out/prove.err

# The process table, and processes of which everything is known.
mkfifo /hold
/rest </hold >/out/rest &
exec 9>/hold
until grep -q ready /out/rest; do sleep 0.1; done
/table compare >/out/table.txt
echo $? >/out/table.status
# shellcheck disable=SC2046 # numbers
/table show iterator $(sed -n 's/^[a-z]* //p' /out/rest) >/out/table.rest
exec 9>&-
uname -r >/out/release
