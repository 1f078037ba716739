#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a guest: mounts what a machine has, runs /job.sh, sends /out home over the second serial line.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=dumb
mount -t proc proc /proc
mount -t devtmpfs dev /dev
if ! grep -qw bare /proc/cmdline; then
	mount -t sysfs sysfs /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	for c in cpu io memory pids; do
		echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control
	done
fi
ip link set lo up
hostname guest
for m in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
	[ ! -f /modules/$m.ko ] || insmod /modules/$m.ko
done
stty -F /dev/ttyS1 raw
mkdir /out
sh /job.sh >/out/log 2>&1
echo $? >/out/status
tar -czf /out.tar.gz -C /out .
cat /out.tar.gz >/dev/ttyS1
sync
poweroff -f
