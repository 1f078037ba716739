# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven through its debugging pipe: nothing but the standard library, no port, no race for one."""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find():
    return next((p for p in map(shutil.which, NAMES) if p), None)


class Gone(Exception):
    pass


class Browser:
    DEADLINE = 60

    def __init__(self, program):
        ours, theirs = os.pipe(), os.pipe()  # commands to it, answers from it
        # above what they are moved to in the child
        self.out, self.inp = ours[1], theirs[0]
        down, up = (fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (ours[0], theirs[1]))
        os.close(ours[0])
        os.close(theirs[1])

        def move():
            os.dup2(down, 3, True)
            os.dup2(up, 4, True)

        self.dir = tempfile.mkdtemp(prefix="sixty-svg-")
        self.log = open(f"{self.dir}/log", "wb")
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self.dir}/profile", "about:blank"],
            preexec_fn=move, close_fds=False, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(down)
        os.close(up)
        self.number, self.rest, self.session, self.events = 0, b"", None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def read(self, deadline):
        while b"\0" not in self.rest:
            if not select.select([self.inp], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Gone("the browser does not answer")
            more = os.read(self.inp, 1 << 20)
            if not more:
                raise Gone("the browser has ended: " + open(f"{self.dir}/log", encoding="utf-8", errors="replace").read()[-500:])
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + self.DEADLINE
        while True:
            answer = self.read(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def js(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"].get("exception", {}).get("description", "exception")[:300])
        return r["result"].get("value")

    def wait(self, expression, what):
        deadline = time.monotonic() + self.DEADLINE
        while time.monotonic() < deadline:
            value = self.js(expression)
            if value:
                return value
            time.sleep(0.05)
        raise Gone(f"waited in vain: {what}")

    def open(self, path, width=1200, height=900, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url="about:blank")
        self.events = []
        self.call("Page.navigate", url=f"file://{os.path.abspath(path)}")
        self.wait("document.documentElement && document.documentElement.getAttribute('data-ready')", f"{path} is drawn")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x, y, shift=False):
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", buttons=1, clickCount=1, modifiers=8 if shift else 0)

    def key(self, key, text=None):
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, file):
        with open(file, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
