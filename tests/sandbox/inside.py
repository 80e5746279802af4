"""What a walled sandbox can do, tried from inside: a program, whose answer is JSON.

`python inside.py PLACE USER MEMORY SPILL`: becomes a template, forks one sandbox as the product
does, puts up its walls, and tries everything on the list below.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from privet.sandbox import template
from privet.sandbox.wire import Channel, Limits

LIBC = ctypes.CDLL(None, use_errno=True)
SYSCALLS = {
    "mount": 165, "umount2": 166, "pivot_root": 155, "unshare": 272, "setns": 308, "ptrace": 101,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_open": 434,
    "pidfd_getfd": 438, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
    "io_uring_setup": 425, "memfd_create": 319, "keyctl": 250, "add_key": 248, "shmget": 29,
    "msgget": 68, "semget": 64, "mq_open": 240, "inotify_init1": 294, "fanotify_init": 300,
    "epoll_create1": 291, "eventfd2": 290, "timerfd_create": 283, "signalfd4": 289,
    "personality": 135, "modify_ldt": 154, "iopl": 172, "reboot": 169, "sethostname": 170,
    "init_module": 175, "kexec_load": 246, "swapon": 167, "acct": 163, "settimeofday": 164,
    "clock_settime": 227, "setuid": 105, "setgid": 106, "setgroups": 116, "setresuid": 117,
    "capset": 126, "chroot": 161, "chmod": 90, "chown": 92, "link": 86, "symlink": 88,
    "mknod": 133, "rename": 82, "vfork": 58, "execveat": 322, "setpriority": 141,
    "sched_setaffinity": 203, "sched_setscheduler": 144, "ioprio_set": 251, "migrate_pages": 256,
    "quotactl": 179, "name_to_handle_at": 303, "open_by_handle_at": 304, "seccomp": 317,
    "prctl": 157, "arch_prctl": 158, "setrlimit": 160, "prlimit_of_init": 302, "pipe2": 293,
    "dup2": 33, "dup3": 292, "accept4": 288, "bind": 49, "listen": 50, "connect": 42,
    "landlock_create_ruleset": 444, "clone3": 435, "tgkill_of_init": 234, "tkill": 200,
    "kill": 62, "rt_sigqueueinfo": 129, "getdents_of_proc": 78, "splice": 275, "sendfile": 40,
    "copy_file_range": 326,
}  # fmt: skip
"""Numbers on x86-64."""
ARGUMENTS: dict[str, tuple[int, ...]] = {
    "prlimit_of_init": (1, resource.RLIMIT_NOFILE, 0, 0),
    "tgkill_of_init": (1, 1, 0),
    "kill": (1, 0),
    "tkill": (1, 0),
    "prctl": (4, 1, 0, 0, 0),
    "clone3": (0, 0),
}


def may(attempt: Callable[[], object]) -> str:
    """`allowed`, or the name of the error."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    except MemoryError:
        return "ENOMEM"
    except ValueError:
        # As `resource` says that a limit may not be raised.
        return "EPERM"
    return "allowed"


def call(name: str) -> str:
    """A system call by its number."""
    arguments = ARGUMENTS.get(name, (0,) * 6)
    ctypes.set_errno(0)
    result = LIBC.syscall(SYSCALLS[name], *map(ctypes.c_long, arguments))
    return "allowed" if result >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")


def report(spill: int) -> dict[str, Any]:
    """Everything that is tried; what is harmless first, what may end the process last."""
    said: dict[str, Any] = {name: call(name) for name in SYSCALLS if name != "vfork"}
    files = ("/etc/passwd", "/proc/self/environ", "/proc/1/environ", "/proc/self/maps", "/dev/mem")
    said |= {f"read {path}": may(lambda path=path: os.open(path, os.O_RDONLY)) for path in files}
    said |= {
        "inet": may(lambda: socket.socket(socket.AF_INET)),
        "inet6": may(lambda: socket.socket(socket.AF_INET6)),
        "unix": may(lambda: socket.socket(socket.AF_UNIX)),
        "netlink": may(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
        "socketpair": may(socket.socketpair),
        "fork": may(os.fork),
        "exec": may(lambda: os.execv("/bin/true", ["true"])),
        "above": may(lambda: os.open("../../../../etc/hostname", os.O_RDONLY)),
        "dev null": may(lambda: os.open("/dev/null", os.O_RDWR)),
        "parent": may(lambda: os.kill(os.getppid() or 1, 0)),
        "more processor time": may(lambda: _raise(resource.RLIMIT_CPU)),
        "more memory": may(lambda: _raise(resource.RLIMIT_AS)),
        "more files": may(lambda: _raise(resource.RLIMIT_NOFILE)),
        "core": may(lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))),
        "a gigabyte": may(lambda: mmap.mmap(-1, 1 << 30)),
        "executable memory": may(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC | mmap.PROT_READ)),
        "a thread": may(_thread),
        "spill": may(lambda: _spill(1024)),
        "too much spill": may(lambda: _spill(spill + 4096)),
        "links": may(lambda: Path("/spill/l").symlink_to("/etc")),
    }
    limits = ("CORE", "NOFILE", "FSIZE", "CPU", "AS")
    said["limits"] = {n: resource.getrlimit(getattr(resource, f"RLIMIT_{n}")) for n in limits}
    said["ids"] = [os.getuid(), os.geteuid(), os.getgid(), os.getegid()]
    said["environment"] = dict(os.environ)
    said["open"] = [n for n in range(1024) if may(lambda n=n: os.fstat(n)) == "allowed"]
    said["root"] = []
    with suppress(OSError):
        said["root"] = sorted(path.name for path in Path("/").iterdir())
    return said


def _raise(what: int) -> None:
    hard = resource.getrlimit(what)[1]
    more = (hard + 1) if hard > 0 else resource.RLIM_INFINITY
    resource.setrlimit(what, (more, more))


def _thread() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def _spill(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = Path("/spill/x")
    try:
        with path.open("wb") as file:
            file.write(b"x" * size)
    finally:
        with suppress(OSError):
            path.unlink()


@contextmanager
def _three() -> Iterator[tuple[list[socket.socket], list[int]]]:
    pairs = [socket.socketpair() for _ in range(3)]
    try:
        yield [p[0] for p in pairs], [p[1].detach() for p in pairs]
    finally:
        for mine, _ in pairs:
            mine.close()


def main() -> None:
    """Fork one sandbox and print what it said."""
    place, user, memory, spill = sys.argv[1], *map(int, sys.argv[2:5])
    os.environ.clear()
    ready = template.make_ready()
    # What a careless server might have left open.
    kept = [os.open("/etc/hostname", os.O_RDONLY) for _ in range(3)]
    high = os.dup2(kept[0], 600)
    with _three() as (mine, theirs):
        child = os.fork()
        if not child:
            template._silence()
            control, *others = template._take(theirs)
            limits = Limits(memory=memory, seconds=30, threads=2, spill=spill, user=user)
            channel = Channel(control)
            try:
                _, standing = template._walled(ready, limits, place)
            except Exception as error:  # noqa: BLE001 - it is told
                channel.send({"unwalled": repr(error)})
                os._exit(1)
            try:
                said = report(spill)
            except BaseException as error:  # noqa: BLE001 - it is told
                said = {"broke": repr(error)}
            channel.send({"walls": vars_of(standing), "channels": len(others), **said})
            channel.receive()
            os._exit(0)
        for end in theirs:
            os.close(end)
        try:
            said, _ = Channel(mine[0]).receive()
            said["seen"] = seen_from_outside(child)
            said["sibling"] = seen_by_a_sibling(child, user)
        finally:
            mine[0].close()
            os.waitpid(child, 0)
    os.close(high)
    print(json.dumps(said))


def seen_from_outside(pid: int) -> dict[str, str]:
    """What the system says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    wanted = ("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "CapEff", "CapPrm", "CapBnd")
    return {
        name: value.strip()
        for name, _, value in (x.partition(":") for x in lines)
        if name in wanted
    }


def seen_by_a_sibling(pid: int, user: int) -> dict[str, str]:
    """What another sandbox's user could do to it."""
    reader, writer = os.pipe()
    other = os.fork()
    if not other:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(user + 1, user + 1, user + 1)
            os.setresuid(user + 1, user + 1, user + 1)
        files = ("environ", "mem", "maps", "fd", "cwd", "root", "stack", "syscall")
        told = {f: may(lambda f=f: os.open(f"/proc/{pid}/{f}", os.O_RDONLY)) for f in files}
        told["ptrace"] = "allowed" if LIBC.ptrace(16, pid, 0, 0) == 0 else "EPERM"
        told["kill"] = may(lambda: os.kill(pid, 0))
        os.write(writer, json.dumps(told).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = json.loads(answer.read())
    os.waitpid(other, 0)
    return said


def vars_of(standing: object) -> dict[str, bool]:
    """Which optional walls stand."""
    return {name: getattr(standing, name) for name in ("network", "root", "user")}


if __name__ == "__main__":
    main()
