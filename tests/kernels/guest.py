# SPDX-License-Identifier: Apache-2.0
"""Boots a kernel of Debian in qemu, without hardware virtualisation, and brings home what a job in it wrote."""
import io
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sixty", "kernels")
MODULES = ("virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk")
HERE = os.path.dirname(os.path.abspath(__file__))


class Unavailable(Exception):
    """Why this cannot be done here: no failure of what is tested."""


def output(*args, **kw):
    return subprocess.run(args, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw).stdout.decode()


def kernel(meta):
    """(vmlinuz, {module: bytes}) of the newest kernel that a meta-package stands for; downloaded once."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Unavailable(f"{tool} is not here: kernels come from Debian's packages")
    found = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", "depends", meta))
    if not found:
        raise Unavailable(f"no package {meta} is known here")
    package = found[1]
    place = os.path.join(CACHE, package)
    if not os.path.exists(f"{place}/.complete"):
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        try:
            output("apt-get", "-q", "download", package, cwd=place, timeout=300)
            deb = [f for f in os.listdir(place) if f.endswith(".deb")][0]
            output("dpkg-deb", "-x", f"{place}/{deb}", place)
        except (subprocess.SubprocessError, IndexError) as e:
            raise Unavailable(f"{package} could not be downloaded: {getattr(e, 'stderr', b'') or e}") from e
        os.unlink(f"{place}/{deb}")
        with open(f"{place}/.complete", "w", encoding="ascii"):
            pass
    modules = {}
    for top, _, names in os.walk(place):
        for name in names:
            stem, _, ending = name.partition(".ko")
            if stem.replace("-", "_") in MODULES and ending in ("", ".xz") and ".ko" in name:
                with open(f"{top}/{name}", "rb") as f:
                    data = f.read()
                modules[stem.replace("-", "_")] = lzma.decompress(data) if ending else data
    boot = [f for f in os.listdir(f"{place}/boot") if f.startswith("vmlinuz-")]
    if not boot:
        raise Unavailable(f"{package} has no kernel in it")
    return f"{place}/boot/{boot[0]}", modules


class Archive:
    """An initramfs: cpio in its "newc" form."""

    def __init__(self):
        self.data, self.known, self.inode = bytearray(), set(), 0

    def entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        self.data += b"070701" + "".join(f"{n:08x}" for n in fields).encode() + name.encode() + b"\0"
        self.data += bytes(-len(self.data) % 4) + data
        self.data += bytes(-len(self.data) % 4)

    def directory(self, path):
        path = path.strip("/")
        if not path or path in self.known:
            return
        self.directory(os.path.dirname(path))
        self.known.add(path)
        self.entry(path, 0o40755)

    def file(self, path, data, mode=0o755):
        self.directory(os.path.dirname(path))
        if path not in self.known:
            self.known.add(path)
            self.entry(path.strip("/"), 0o100000 | mode, data)

    def program(self, path, source):
        """With the shared libraries it needs, where it looks for them."""
        for library in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", source], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                                  .stdout.decode()):
            with open(library, "rb") as f:
                self.file(library, f.read())
        with open(source, "rb") as f:
            self.file(path, f.read())

    def write(self, path):
        self.entry("TRAILER!!!", 0)
        with open(path, "wb") as f:
            f.write(self.data)


class EmulatorFault(RuntimeError):
    """The guest died of the emulator, not of what ran in it."""


def boot(work, *args, **kw):
    """A guest whose emulated CPUs run at the same time may meet the breakpoint by which the kernel patches its own code (every trace point that is
    switched on) after that patch is done, and dies of it: "Oops: int3". And on a busy machine all of them may stop in the middle, idle. No hardware
    does that; it is tried again."""
    for _ in range(3):
        try:
            return boot_once(work, *args, **kw)
        except EmulatorFault as e:
            print(f"# {os.path.basename(work)}: {e}; once more", flush=True)
            shutil.rmtree(work)
            died = e
    raise died


def boot_once(work, vmlinuz, modules, sixty, job, files, cpus=2, nodes=1, memory=512, disk=0, arguments="", limit=150, programs=()):
    """Run `job` as root in a guest; what it wrote to /out is unpacked to work/out. Returns the seconds it took; raises RuntimeError if the guest
    does not come back."""
    qemu, busybox = shutil.which("qemu-system-x86_64"), shutil.which("busybox")
    for tool, path in (("qemu-system-x86_64", qemu), ("busybox", busybox)):
        if not path:
            raise Unavailable(f"{tool} is not here")
    archive = Archive()
    for d in ("proc", "sys", "dev", "tmp", "root", "run"):
        archive.directory(d)
    archive.entry("dev/console", 0o20600, device=(5, 1))
    with open(f"{HERE}/init.sh", "rb") as f:
        archive.file("/init", f.read())
    with open(job, "rb") as f:
        archive.file("/job.sh", f.read())
    archive.file("/files", "\n".join(files).encode())
    archive.program("/bin/busybox", busybox)
    archive.entry("bin/sh", 0o120777, b"busybox")
    archive.program("/sixty", sixty)
    for program in programs:
        archive.program(f"/{os.path.basename(program)}", program)
    for name, data in modules.items():
        archive.file(f"/modules/{name}.ko", data)
    os.makedirs(work, exist_ok=True)
    archive.write(f"{work}/initramfs")
    each = memory // nodes
    args = [qemu, "-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35", "-nodefaults", "-display", "none", "-no-reboot", "-m", str(memory),
            "-smp", f"{cpus},sockets={nodes}", "-kernel", vmlinuz, "-initrd", f"{work}/initramfs",
            "-serial", f"file:{work}/console", "-serial", f"file:{work}/out.tar.gz",
            "-append", f"console=ttyS0 quiet loglevel=3 nokaslr mitigations=off tsc=reliable no_timer_check panic=-1 {arguments}"]
    for n in range(nodes if nodes > 1 else 0):
        per = cpus // nodes
        args += ["-object", f"memory-backend-ram,id=m{n},size={each}M", "-numa", f"node,nodeid={n},memdev=m{n},cpus={n * per}-{(n + 1) * per - 1}"]
    if disk:
        with open(f"{work}/disk", "wb") as f:
            f.truncate(disk << 20)
        args += ["-drive", f"file={work}/disk,format=raw,if=none,id=d0", "-device", "virtio-blk-pci,drive=d0"]
    begin = time.monotonic()
    try:
        subprocess.run(args, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit)
    except subprocess.TimeoutExpired as e:
        if stuck(work):
            raise EmulatorFault("the emulator's CPUs stood still") from e
        raise RuntimeError(f"not finished after {limit} s; console: {tail(work)}") from e
    except subprocess.CalledProcessError as e:
        raise RuntimeError(f"qemu: {e.stdout[-300:]!r}") from e
    with open(f"{work}/out.tar.gz", "rb") as f:
        data = f.read()
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                if member.isfile() or member.isdir():
                    tar.extract(member, f"{work}/out")
    except (tarfile.TarError, EOFError, OSError) as e:
        with open(f"{work}/console", "rb") as f:
            if b"Oops: int3" in f.read():
                raise EmulatorFault("the emulator showed the kernel a breakpoint that was gone") from e
        raise RuntimeError(f"{len(data)} bytes came back: {e}; console: {tail(work)}") from e
    return time.monotonic() - begin


def stuck(work):
    """Nothing was said at all, or every idle CPU was: no job of ours was running on them."""
    try:
        with open(f"{work}/console", "rb") as f:
            said = f.read()
    except OSError:
        return False
    lines = [line for line in said.splitlines() if b"soft lockup" in line]
    return not said.strip() or bool(lines) and all(b"[swapper/" in line for line in lines)


def tail(work):
    try:
        with open(f"{work}/console", "rb") as f:
            return repr(f.read()[-500:])
    except OSError:
        return "empty"
