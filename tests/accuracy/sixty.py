# SPDX-License-Identifier: Apache-2.0
"""Runs sixty and reads what it prints: metrics by name, however a format spells them."""
import csv
import io
import json
import re
import subprocess


class Sixty:
    def __init__(self, path):
        self.path = path
        listed = json.loads(self.run("list", "metrics", "--json"))["metrics"]
        self.metrics = {m["name"]: m for m in listed}
        self.paces = {f["path"]: f["pace"] for f in json.loads(self.run("list", "files", "--json"))["files"]}
        self.families = {}
        for m in listed:
            plain = "sixty_" + re.sub(r"\W", "_", m["name"])
            unit = m["unit"].split("/")[0].replace("s", "seconds") if m["unit"] in ("s/s", "s") else m["unit"].split("/")[0]
            for family in (plain, f"{plain}_{unit}", f"{plain}_level"):
                self.families.setdefault(family + "_total" * (m["kind"] == "counter"), m["name"])

    def run(self, *args, timeout=120):
        return subprocess.run([self.path, *args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=timeout).stdout.decode()

    def kind(self, metric):
        return self.metrics[metric]["kind"]

    def at_both_ends_only(self, metric):
        """Is it read at the window's ends, and not each second?"""
        source = self.metrics[metric]["sources"][0].split(",")[0]
        return "end" in self.paces.get(source, "")

    def openmetrics(self, text):
        """{(metric, instance): value} at the window's end; processes are (metric, PID)."""
        found = {}
        for line in text.splitlines():
            m = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if line.startswith("#") or not m or m[1] not in self.families:
                continue
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2] or ""))
            instance = labels.get("pid") or labels.get("tid") or next(iter(labels.values()), "")
            found[self.families[m[1]], instance] = float(m[3])
        return found

    def csv(self, text):
        """{(metric, instance): value over the window}"""
        found = {}
        for row in csv.DictReader(io.StringIO(text, newline="")):
            found[row["metric"], row["instance"].split("/")[0] if row["scope"] in ("process", "thread") else row["instance"]] = float(row["value"])
        return found
