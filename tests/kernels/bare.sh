# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the guest without anything does.
/sixty triage -d 1 --json >/out/report.json || echo "json: exit status $?"
/sixty triage -d 1 >/out/report.txt || echo "text: exit status $?"
/sixty doctor >/out/doctor.txt || echo "doctor: exit status $?"
