# SPDX-License-Identifier: Apache-2.0
"""Servers and clients whose every request is known, and what `sixty red` says of them."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

SIXTY = sys.argv[1]
SECRETS = ("hunter2", "s3cr3t", "topsecret", "swordfish", "rosebud", "alice@example")


class Watch:
    """sixty red while it runs; its intervals are added up."""

    def __init__(self, *options):
        self.text = ""
        self.rows = {}
        self.last = None
        self.p = subprocess.Popen([SIXTY, "red", "-i", "0.2", "--budget", "0", "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.take(self.p.stdout.readline())
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.p.stdout:
            self.take(line)

    def take(self, line):
        if not line:
            raise RuntimeError(self.p.stderr.read())
        self.text += line
        self.last = json.loads(line)
        for r in self.last["red"]:
            key = (r["role"], r["port"], r["peer"], r["netns"])
            have = self.rows.setdefault(key, {"ops": {}, "kinds": {}, "buckets": []})
            for name, v in r.items():
                if name in ("requests", "errors", "client_errors", "bytes_in", "bytes_out", "batched", "unparted", "unread", "waiting_by_design"):
                    have[name] = have.get(name, 0) + v
                elif name == "errors_by_kind":
                    for k, n in v.items():
                        have["kinds"][k] = have["kinds"].get(k, 0) + n
                elif name == "operations":
                    for o in v:
                        have["ops"][o["name"]] = have["ops"].get(o["name"], 0) + o["count"]
                elif name in ("protocol", "exchanges", "p50", "p99") and not r["requests"] and name in have:
                    pass
                elif name == "max":
                    have["max"] = max(v or 0, have.get("max", 0))
                else:
                    have[name] = v

    def end(self):
        time.sleep(0.5)
        self.p.send_signal(signal.SIGINT)
        self.reader.join()
        self.p.wait()
        self.errors = self.p.stderr.read()
        return self

    def row(self, port, role="server"):
        rows = [r for (what, number, _, _), r in self.rows.items() if what == role and number == port]
        return rows[0] if rows else {"ops": {}, "kinds": {}}


def exact(sock, n):
    data = b""
    while len(data) < n:
        got = sock.recv(n - len(data))
        if not got:
            raise EOFError
        data += got
    return data


class Server:
    """answer(sock) is called for each connection until it raises; in a process of its own."""

    def __init__(self, answer, port=0, name=b"served"):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.pid = os.fork()
        if not self.pid:
            signal.alarm(120)
            try:
                with open("/proc/self/comm", "wb") as f:
                    f.write(name)
                self.serve(answer)
            finally:
                os._exit(0)
        self.listener.close()

    def serve(self, answer):
        while True:
            c, _ = self.listener.accept()
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.one, args=(answer, c), daemon=True).start()

    @staticmethod
    def one(answer, c):
        try:
            answer(c)
        except (EOFError, OSError):
            pass
        c.close()

    def connect(self):
        c = socket.create_connection(("127.0.0.1", self.port))
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return c

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def low_port():
    """A service's port is below those that clients are given."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        low = int(f.read().split()[0])
    for port in range(low - 1, 1024, -1):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("no port is free")


def check(name, ok, why=""):
    print(f"ok {name}" if ok else f"not ok {name}: {str(why)[:600]}", flush=True)


def keeps_secrets(name, w):
    found = [s for s in SECRETS if s in w.text]
    check(name, not found, found)


# --- HTTP ----------------------------------------------------------------------------------------


def http(c):
    """Answers as the path says: /status/NNN."""
    f = c.makefile("rb")
    while True:
        line = f.readline()
        if not line:
            raise EOFError
        while f.readline() not in (b"\r\n", b""):
            pass
        path = line.split()[1]
        status = int(path[8:11]) if path.startswith(b"/status/") else 200
        if b"pause" in path:
            time.sleep(0.05)
        if b"continue" in path:
            c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        c.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
        c.sendall(b"hello")


def ask(c, path, method=b"GET"):
    c.sendall(method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\nhello"):
        head += c.recv(4096)
    return head


def test_http():
    s = Server(http, low_port())
    before = s.connect()
    ask(before, b"/")
    w = Watch("--port", str(s.port))
    c = s.connect()
    for i in range(100):
        ask(c, b"/users/%d/orders?token=s3cr3t" % i)
    for i in range(20):
        ask(before, b"/status/503")
    for i in range(10):
        ask(c, b"/status/404")
    ask(c, b"/v1/list", b"POST")
    ask(c, b"/session/topsecret0123456789/x")
    ask(c, b"/static/app.9f3c.js;swordfish")
    ask(c, b"http://alice@example.org/")
    ask(c, b"/continue")
    ask(c, b"/a/b/c/d/e/rosebud")
    ask(c, b"/" + b"rosebudrosebudrosebudrosebudrosebudrosebud" * 40)
    ask(c, b"/\x1b[31mrosebud\"\\")
    c.close()
    w.end()
    r = w.row(s.port)
    check("http_requests_are_counted_to_the_last_one", r.get("requests") == 138, (r.get("requests"), r))
    check("http_errors_are_counted_to_the_last_one", (r.get("errors"), r.get("client_errors")) == (20, 10) and r["kinds"] == {"503": 20, "404": 10}, r)
    check("http_is_recognised", r.get("protocol") == "http" and r.get("exchanges") is False, r.get("protocol"))
    check("identifiers_are_folded", r["ops"].get("GET /users/:id/orders") == 100 and r["ops"].get("POST /v1/list") == 1, r["ops"])
    check("routes_are_bounded", r["ops"].get("GET /a/b/c/d/*") == 1 and r["ops"].get("GET /session/:id/x") == 1 and r["ops"].get("GET *") == 1, r["ops"])
    check("names_have_no_strange_signs", not any(set(o) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 /:._-*") for o in r["ops"]), r["ops"])
    keeps_secrets("no_query_no_token_no_address_is_told", w)
    check("a_connection_that_was_open_before_is_followed", r["ops"].get("GET /status/:id") == 30, r["ops"])
    check("who_serves_is_told", r.get("service") == "served" and r.get("pid") == s.pid and r.get("open") == 1, (r.get("service"), r.get("pid"), s.pid, r.get("open")))

    w = Watch("--port", str(s.port), "--no-content")
    c = s.connect()
    for i in range(50):
        ask(c, b"/status/503?token=s3cr3t")
    w.end()
    r = w.row(s.port)
    check("without_content_requests_are_counted", (r.get("requests"), r.get("errors"), r.get("protocol"), r["ops"]) == (50, 0, "tcp", {}), r)

    w = Watch("--port", str(s.port))
    c = s.connect()
    for i in range(30):  # every byte by itself
        for b in b"GET /split HTTP/1.1\r\n\r\n":
            c.sendall(bytes([b]))
        exact(c, len(b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhello"))
    c.sendall(b"GET /pipelined HTTP/1.1\r\n\r\n" * 8)
    exact(c, 8 * len(b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhello"))
    h = s.connect()
    h.sendall(b"GET /half")
    h.close()
    q = s.connect()
    q.sendall(b"GET /pause HTTP/1.1\r\n\r\n")
    q.close()
    w.end()
    r = w.row(s.port)
    check("requests_in_pieces_and_in_rows_are_counted", r.get("requests") in (38, 39), (r.get("requests"), r))
    check("what_got_no_answer_is_told", r["kinds"].get("unanswered", 0) >= 1, r["kinds"])
    s.stop()


def test_durations():
    def slow(c):
        while True:
            n = exact(c, 1)[0]
            time.sleep(n / 1000)
            c.sendall(b"x")

    s = Server(slow, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    took = []
    for i in range(200):
        began = time.monotonic()
        c.sendall(bytes([5 if i % 20 else 60]))
        exact(c, 1)
        took.append(time.monotonic() - began)
    w.end()
    r = w.row(s.port)
    total = sum(json.loads(line)["red"][0]["mean"] * json.loads(line)["red"][0]["requests"] for line in w.text.splitlines() if json.loads(line)["red"] and json.loads(line)["red"][0]["requests"])
    check("durations_add_up_to_those_of_the_client", 190 * 0.005 + 10 * 0.06 <= total < sum(took) * 1.001, (total, sum(took)))
    # or the upper edge of its slot
    check("the_longest_is_no_longer_than_the_clients", 0.06 <= r["max"] <= max(took) * 1.125, (r["max"], max(took)))
    check("plain_tcp_is_counted", (r.get("requests"), r.get("protocol")) == (200, "tcp"), r)
    s.stop()

    def busy(c):  # reads when it has slept: requests lie in the queue
        while True:
            time.sleep(0.02)
            exact(c, 1)
            c.sendall(b"x")

    s = Server(busy, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    for i in range(50):
        c.sendall(b"x")
        exact(c, 1)
    w.end()
    waits = [json.loads(line)["red"][0]["queue_wait"]["mean"] for line in w.text.splitlines() if json.loads(line)["red"] and json.loads(line)["red"][0]["requests"]]
    check("time_in_the_queue_is_told_apart", waits and all(0.015 < x < 0.04 for x in waits), waits)
    s.stop()


# --- Redis ---------------------------------------------------------------------------------------


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def redis(c):
    """Answers what is whole at once, as the name of the command says."""
    replies = {b"GET": b"$5\r\nhello\r\n", b"SET": b"+OK\r\n", b"LRANGE": b"*3\r\n$1\r\na\r\n$-1\r\n*2\r\n:1\r\n+x\r\n", b"AUTH": b"-WRONGPASS no\r\n", b"FAIL": b"-ERR " + b"hunter2 " * 30 + b"\r\n", b"DEL": b":1\r\n", b"MOVED": b"-MOVED 1 1.1.1.1:1\r\n"}
    data = b""
    while True:
        got = c.recv(65536)
        if not got:
            raise EOFError
        data += got
        out = b""
        while data:
            at, words = parse(data)
            if not at:
                break
            data = data[at:]
            out += replies.get(words[0], b"-ERR unknown\r\n")
        if out:
            c.sendall(out)


def parse(data):
    try:
        end = data.index(b"\r\n")
        n, at, words = int(data[1:end]), end + 2, []
        for _ in range(n):
            end = data.index(b"\r\n", at)
            size = int(data[at + 1 : end])
            if len(data) < end + 4 + size:
                return 0, []
            words.append(data[end + 2 : end + 2 + size])
            at = end + 4 + size
        return at, words
    except ValueError:
        return 0, []


def read_replies(c, n):
    f = c.makefile("rb")

    def one():
        line = f.readline()
        if line[:1] == b"$" and int(line[1:]) >= 0:
            f.read(int(line[1:]) + 2)
        elif line[:1] == b"*":
            for _ in range(int(line[1:])):
                one()

    for _ in range(n):
        one()


def test_redis():
    s = Server(redis, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    plan = [(b"GET", b"hunter2"), (b"SET", b"hunter2", b"s3cr3t" * 50), (b"LRANGE", b"topsecret", b"0", b"-1"), (b"AUTH", b"swordfish"), (b"FAIL", b"rosebud"), (b"DEL", b"alice@example"), (b"MOVED", b"x")]
    for p in plan:
        for _ in range(10):
            c.sendall(command(*p))
            read_replies(c, 1)
    batch = b"".join(command(*p) for p in plan) * 4
    for _ in range(5):
        c.sendall(batch)
        read_replies(c, 28)
    c.sendall(command(b"SET", b"big", b"x" * 300000))
    read_replies(c, 1)
    w.end()
    r = w.row(s.port)
    check("commands_alone_and_in_batches_are_counted_to_the_last_one", r.get("requests") == 70 + 140 + 1, (r.get("requests"), r))
    check("error_replies_are_counted_to_the_last_one", (r.get("errors"), r.get("client_errors")) == (20 + 40, 10 + 20), (r.get("errors"), r.get("client_errors"), r["kinds"]))
    check("commands_have_names", r["ops"].get("GET") == 30 and r["ops"].get("AUTH") == 30 and r["ops"].get("SET") == 31, r["ops"])
    check("batches_are_told", r.get("batched") == 140 and r.get("unparted") == 0, (r.get("batched"), r.get("unparted")))
    keeps_secrets("no_key_no_value_no_password_is_told", w)

    w = Watch("--port", str(s.port))
    c = s.connect()
    data = command(b"SET", b"key", b"value") + command(b"GET", b"k")
    for cut in range(1, len(data)):
        c.sendall(data[:cut])
        time.sleep(0.003)
        c.sendall(data[cut:])
        read_replies(c, 2)
    w.end()
    r = w.row(s.port)
    whole = 2 * (len(data) - 1)
    check("commands_cut_anywhere_are_counted_or_told", whole - r.get("unparted", 0) - len(data) <= r.get("requests", 0) <= whole and r.get("errors") == 0, (r.get("requests"), whole, r.get("unparted")))

    w = Watch("--port", str(s.port))
    c = s.connect()
    c.sendall(bytes(range(256)) * 20)
    c2 = s.connect()
    c2.sendall(b"*99999999999\r\n$-5\r\n")
    c3 = s.connect()
    for _ in range(20):
        c3.sendall(command(b"GET", b"x"))
        read_replies(c3, 1)
    w.end()
    r = w.row(s.port)
    check("garbage_does_no_harm", r["ops"].get("GET") == 20 and r.get("requests", 0) >= 20, r)
    s.stop()


# --- databases -----------------------------------------------------------------------------------


def pg_message(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def postgres(c):
    c.recv(65536)
    c.sendall(pg_message(b"R", struct.pack(">I", 3)))
    c.recv(65536)
    c.sendall(pg_message(b"R", struct.pack(">I", 0)) + pg_message(b"Z", b"I"))
    while True:
        got = c.recv(65536)
        if not got:
            raise EOFError
        if b"fail" in got:
            c.sendall(pg_message(b"E", b"SERROR\0VERROR\0C42601\0Mhunter2\0\0") + pg_message(b"Z", b"I"))
        elif got[:1] == b"P":
            late = b"late" in got
            c.sendall(pg_message(b"1", b"") + pg_message(b"2", b"") + (pg_message(b"E", b"SERROR\0VERROR\0C23505\0\0") if late else pg_message(b"C", b"SELECT 1\0")) + pg_message(b"Z", b"I"))
        else:
            c.sendall(pg_message(b"T", b"\0" * 30) + pg_message(b"D", b"\0" * 30) + pg_message(b"C", b"SELECT 1\0") + pg_message(b"Z", b"I"))


def pg_ask(c, data):
    c.sendall(data)
    got = b""
    while not got.endswith(pg_message(b"Z", b"I")):
        got += c.recv(65536)


def test_postgres():
    s = Server(postgres, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    start = struct.pack(">I", 196608) + b"user\0swordfish\0\0"
    c.sendall(struct.pack(">I", len(start) + 4) + start)
    exact(c, 9)
    pg_ask(c, pg_message(b"p", b"hunter2\0"))
    for _ in range(40):
        pg_ask(c, pg_message(b"Q", b"select * from alice@example where x = 's3cr3t'\0"))
    for _ in range(5):
        pg_ask(c, pg_message(b"Q", b"ALTER USER x PASSWORD 'rosebud'\0"))
    for _ in range(7):
        pg_ask(c, pg_message(b"Q", b"insert fail\0"))
    pg_ask(c, pg_message(b"Q", b"hunter2\0"))
    for i in range(30):
        pg_ask(c, pg_message(b"P", b"\0update %s\0\0\0" % (b"late" if i < 4 else b"t")) + pg_message(b"B", b"\0" * 8) + pg_message(b"E", b"\0" * 5) + pg_message(b"S", b""))
    w.end()
    r = w.row(s.port)
    check("queries_are_counted_to_the_last_one", (r.get("requests"), r.get("protocol")) == (40 + 5 + 7 + 1 + 30, "postgres"), r)
    check("errors_have_their_class", r.get("errors") == 11 and r["kinds"] == {"42": 7, "23": 4}, (r.get("errors"), r["kinds"]))
    check("queries_have_kinds", (r["ops"].get("SELECT"), r["ops"].get("ALTER"), r["ops"].get("INSERT"), r["ops"].get("UPDATE"), r["ops"].get("other")) == (40, 5, 7, 30, 1), r["ops"])
    keeps_secrets("no_statement_and_no_password_is_told", w)
    s.stop()


def my_packet(seq, body):
    return struct.pack("<I", len(body))[:3] + bytes([seq]) + body


def mysql(c):
    """As mysqld does: the head of a packet is read by itself."""
    c.sendall(my_packet(0, b"\x0a8.0.30\0" + b"\0" * 60))
    n = exact(c, 4)
    exact(c, n[0])
    c.sendall(my_packet(2, b"\0\0\0\2\0\0\0"))
    while True:
        head = exact(c, 4)
        body = exact(c, head[0])
        if body[0] == 1:
            raise EOFError
        c.sendall(my_packet(1, b"\xff\x7a\x04#42S02hunter2") if b"fail" in body else my_packet(1, b"\0\0\0\2\0\0\0"))


def test_mysql():
    s = Server(mysql, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    exact(c, 4 + 68)
    c.sendall(my_packet(1, b"\0" * 32 + b"root\0swordfish"))
    exact(c, 11)
    for i in range(40):
        c.sendall(my_packet(0, b"\x03" + (b"delete fail" if i < 6 else b"select 's3cr3t'")))
        exact(c, 4)
        exact(c, 16 if i < 6 else 7)
    c.sendall(my_packet(0, b"\x0e"))
    exact(c, 11)
    c.sendall(my_packet(0, b"\x01"))
    w.end()
    r = w.row(s.port)
    check("mysql_is_counted_to_the_last_command", (r.get("requests"), r.get("errors"), r.get("protocol"), r["kinds"]) == (41, 6, "mysql", {"42": 6}), r)
    check("mysql_commands_have_kinds", r["ops"] == {"SELECT": 34, "DELETE": 6, "PING": 1}, r["ops"])
    keeps_secrets("nothing_of_mysql_is_told", w)
    s.stop()


def memcached(c):
    f = c.makefile("rb")
    while True:
        words = f.readline().split()
        if not words:
            raise EOFError
        if words[0] == b"set":
            f.read(int(words[4]) + 2)
            c.sendall(b"STORED\r\n")
        elif words[0] == b"get":
            c.sendall(b"VALUE x 0 1\r\na\r\nEND\r\n")
        else:
            c.sendall(b"ERROR\r\n")


def test_memcached():
    s = Server(memcached, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    for _ in range(25):
        c.sendall(b"get hunter2\r\n")
        exact(c, 21)
        c.sendall(b"set s3cr3t 0 0 7\r\nrosebud\r\n")
        exact(c, 8)
    for _ in range(3):
        c.sendall(b"incr topsecret 1\r\n")
        exact(c, 7)
    w.end()
    r = w.row(s.port)
    check("memcached_is_counted", (r.get("requests"), r.get("errors"), r.get("protocol"), r["ops"]) == (53, 3, "memcached", {"GET": 25, "SET": 25, "INCR": 3}), r)
    keeps_secrets("nothing_of_memcached_is_told", w)
    s.stop()


# --- who is who ----------------------------------------------------------------------------------


def test_services():
    port = low_port()
    s = Server(http, port, b"first")
    w = Watch("--port", str(port))
    ask(s.connect(), b"/")
    s.stop()
    s = Server(http, port, b"second")
    ask(s.connect(), b"/")
    w.end()
    r = w.row(port)
    check("a_port_that_is_used_again_has_its_new_owner", (r.get("requests"), r.get("service"), r.get("pid")) == (2, "second", s.pid), r)

    w = Watch("-p", str(s.pid))
    other = Server(http, low_port())
    ask(other.connect(), b"/")
    c = s.connect()
    for _ in range(5):
        ask(c, b"/")
    w.end()
    check("one_process_is_told_alone", w.row(port).get("requests") == 5 and not w.row(other.port).get("requests"), list(w.rows))
    other.stop()
    s.stop()

    def tls(c):
        while True:
            exact(c, 5)
            c.sendall(b"\x17\x03\x03\0\0")

    s = Server(tls, low_port())
    w = Watch("--port", str(s.port))
    c = s.connect()
    for _ in range(9):
        c.sendall(b"\x16\x03\x01\0\0")
        exact(c, 5)
    w.end()
    r = w.row(s.port)
    check("what_is_encrypted_is_counted_by_exchange", (r.get("requests"), r.get("protocol"), r.get("exchanges")) == (9, "tls", True), r)
    s.stop()


def run(*words):
    return subprocess.run(words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_dependencies():
    ns, left, right = f"sixty-red-{os.getpid()}", f"srl{os.getpid() % 100000}", f"srr{os.getpid() % 100000}"
    made = run("ip", "netns", "add", ns)
    if made.returncode:
        print(f"skip dependencies_are_told: no network namespace: {made.stderr.strip()}")
        return
    try:
        run("ip", "link", "add", left, "type", "veth", "peer", "name", right, "netns", ns)
        run("ip", "addr", "add", "198.51.100.1/30", "dev", left)
        run("ip", "link", "set", left, "up")
        run("ip", "-n", ns, "addr", "add", "198.51.100.2/30", "dev", right)
        run("ip", "-n", ns, "link", "set", right, "up")
        port = low_port()
        here = os.path.abspath(__file__)
        p = subprocess.Popen(["ip", "netns", "exec", ns, sys.executable, here, SIXTY, "serve", str(port)], stdout=subprocess.PIPE, text=True)
        p.stdout.readline()
        w = Watch()
        c = socket.create_connection(("198.51.100.2", port), 5)
        for i in range(60):
            ask(c, b"/status/500" if i < 9 else b"/x?hunter2")
        w.end()
        client, server = w.row(port, "client"), w.row(port)
        check("dependencies_are_told", (client.get("requests"), client.get("errors"), client.get("peer"), client.get("pid")) == (60, 9, f"198.51.100.2:{port}", os.getpid()), client)
        check("services_in_containers_are_told", (server.get("requests"), server.get("errors"), server.get("pid")) == (60, 9, p.pid), (server, p.pid))
        check("the_server_is_no_slower_than_its_client_sees_it", server.get("max", 9) <= client.get("max", 0) * 1.0625, (server.get("max"), client.get("max")))
        p.kill()
        p.wait()
        w = Watch("--no-clients")
        w.end()
        check("dependencies_can_be_left_out", not any(role == "client" for role, _, _, _ in w.rows), list(w.rows))
    finally:
        run("ip", "netns", "del", ns)
        run("ip", "link", "del", left)


def serve_here(port):
    listener = socket.socket()
    listener.bind(("0.0.0.0", port))
    listener.listen()
    print("ready", flush=True)
    while True:
        c, _ = listener.accept()
        threading.Thread(target=Server.one, args=(http, c), daemon=True).start()


if __name__ == "__main__":
    if sys.argv[2:3] == ["serve"]:
        serve_here(int(sys.argv[3]))
    for test in (test_http, test_durations, test_redis, test_postgres, test_mysql, test_memcached, test_services, test_dependencies):
        test()
