#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stacks of servers as distributions build them, without frame pointers, while they work: at least 99 % are whole. And a profile of known
# work beside the one that perf makes with its own unwinder.
# timeout: 600
# live
set -u
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin

sixty=$(realpath "${B:-build}/sixty")
here=$(dirname "$0")/..
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
server='' load='' postgres=''

finish() {
	[ -z "$load" ] || kill "$load" 2>/dev/null
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$postgres" ] || stop_postgres
	rm -rf "$dir"
}
trap finish EXIT

# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

if ! "$sixty" doctor --json | jq -e '.programs[] | select(.name == "profile_tick" and .status == "ok")' >/dev/null; then
	echo 'skip whole: CPUs cannot be sampled here'
	exit 0
fi

# whole NAME PID PATTERN: of what it does, nearly all has a beginning
whole() {
	local n percent
	"$sixty" profile -F 1999 -d 3 -p "$2" -o "$dir/$1.folded" >"$dir/out" 2>"$dir/err"
	read -r percent n < <(sed -nE 's/^ +([0-9.]+) % of ([0-9]+) user stacks are whole.*/\1 \2/p' "$dir/out")
	[ "${n:-0}" -ge 200 ] && awk -v p="$percent" 'BEGIN { exit !(p >= 99) }' && grep -q "$3" "$dir/$1.folded"
	check "stacks_of_${1}_are_whole" $? "$percent % of $n: $(cat "$dir/err") $(tail -n 12 "$dir/out")"
}

# ---- nginx ----

if command -v nginx >/dev/null; then
	mkdir -p "$dir/nginx/logs" "$dir/nginx/html"
	head -c 4000 /dev/zero | tr '\0' x >"$dir/nginx/html/x"
	cat >"$dir/nginx/conf" <<END
daemon off; master_process on; worker_processes 1; pid $dir/nginx/pid; error_log $dir/nginx/error; user root;
events { worker_connections 64; }
http { access_log off; keepalive_requests 1000000;
server { listen 127.0.0.1:28731; root $dir/nginx/html; } }
END
	nginx -p "$dir/nginx" -c "$dir/nginx/conf" 2>"$dir/err" &
	server=$!
	python3 - >/dev/null 2>&1 <<'END' &
import http.client
import time
end = time.time() + 60
while time.time() < end:
    try:
        c = http.client.HTTPConnection("127.0.0.1", 28731)
        while time.time() < end:
            c.request("GET", "/x")
            c.getresponse().read()
    except OSError:
        time.sleep(0.1)
END
	load=$!
	until_true 20 curl -sf -o /dev/null http://127.0.0.1:28731/x || until_true 20 test -s "$dir/nginx/pid"
	sleep 1
	whole nginx $server 'ngx_\|\[nginx+\|nginx;_start\|nginx;.*main'
	kill $load $server
	wait $load $server 2>/dev/null
	load='' server=''
else
	echo 'skip stacks_of_nginx_are_whole: no nginx'
fi

# ---- PostgreSQL ----

bin=$(dirname "$(find /usr/lib/postgresql /usr/bin -maxdepth 3 -name initdb 2>/dev/null | sort | tail -n 1)")
as_postgres() {
	setpriv --reuid postgres --regid postgres --clear-groups "$@"
}
stop_postgres() {
	as_postgres "$bin/pg_ctl" -D "$dir/db" -m immediate stop >/dev/null 2>&1
	postgres=''
}
if [ "$(id -u)" = 0 ] && [ -x "$bin/initdb" ] && id postgres >/dev/null 2>&1 && command -v pgbench >/dev/null && command -v setpriv >/dev/null; then
	mkdir "$dir/db" && chown postgres "$dir/db"
	(
		cd "$dir/db" && as_postgres "$bin/initdb" -D "$dir/db" --no-sync -A trust &&
			as_postgres "$bin/pg_ctl" -D "$dir/db" -w -o "-c listen_addresses= -c unix_socket_directories=$dir/db -c fsync=off" -l "$dir/db/log" start &&
			pgbench -h "$dir/db" -U postgres -i -s 1 postgres
	) >"$dir/postgres.log" 2>&1
	status=$?
	postgres=1
	pgbench -h "$dir/db" -U postgres -S -c 1 -T 40 postgres >/dev/null 2>&1 &
	load=$!
	sleep 1
	if [ $status = 0 ]; then
		whole postgres "$(head -n 1 "$dir/db/postmaster.pid")" 'postgres;'
	else
		check stacks_of_postgres_are_whole 1 "$(tail -n 5 "$dir/postgres.log")"
	fi
	kill $load
	wait $load 2>/dev/null
	load=''
	stop_postgres
else
	echo 'skip stacks_of_postgres_are_whole: no PostgreSQL with pgbench, or not root'
fi

# ---- beside perf ----

if ! command -v perf >/dev/null || ! perf record -o "$dir/perf.data" -e cpu-clock --call-graph dwarf true >/dev/null 2>&1; then
	echo 'skip functions_and_stacks_are_those_of_perf: no perf that runs here'
	exit 0
fi
# Some seconds of work in many functions: stacks, read and drawn.
python3 - >"$dir/work.folded" <<'END'
import random
random.seed(1)
for i in range(400000):
    print(";".join(f"function_{random.randrange(400)}_{k}" for k in range(random.randrange(4, 24))), random.randrange(1, 9))
END
work=("$sixty" flame "$dir/work.folded" -o "$dir/work.svg")
"$sixty" profile -F 499 --no-inline -o "$dir/ours.folded" -- "${work[@]}" >"$dir/out" 2>"$dir/err"
# perf copies 8 KiB of each stack unless it is told otherwise, which is too little for what has large arrays there.
perf_says() {
	perf record -F 499 -e cpu-clock --call-graph "$1" -o "$dir/perf.data" "${work[@]}" >/dev/null 2>&1
	perf script --no-inline -F comm,tid,time,event,ip,sym,dso -i "$dir/perf.data" 2>/dev/null | "$sixty" flame -o "$2" >/dev/null 2>>"$dir/err"
}
perf_says dwarf,65528 "$dir/theirs.folded"
perf_says dwarf "$dir/usual.folded"
why=$(python3 "$here/profile/agree.py" "$dir/ours.folded" "$dir/theirs.folded" "$dir/usual.folded" 2>&1)
check functions_and_stacks_are_those_of_perf $? "$why $(cat "$dir/err")"
[ -z "${VERBOSE:-}" ] || echo "# $why"
