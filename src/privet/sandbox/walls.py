"""The walls around one statement, put up by the process itself before it reads any.

In this order: a network and a root directory of its own, an unprivileged user, limits, and last a
filter of system calls. What the machine does not offer is left out, except what `check` insists
on. Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass

import pyseccomp

from privet.sandbox.wire import Limits

_CLONE_THREAD, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x0001_0000, 0x0400_0000, 0x0800_0000
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_FILES = 64
_CODE_AND_STACKS = 1024 * 1024 * 1024
"""Address space that the process takes beyond what it holds: code, stacks, arenas."""

_COMPUTE = (
    "brk clock_getres clock_gettime clock_nanosleep close exit exit_group fcntl fstat "
    "futex getcpu getegid geteuid getgid getpid getrandom getrusage getsockname "
    "getsockopt gettid gettimeofday getuid lseek madvise membarrier mmap mprotect mremap "
    "munmap nanosleep poll ppoll pread64 read readv recvfrom recvmsg restart_syscall rseq "
    "rt_sigaction rt_sigprocmask rt_sigreturn sched_get_priority_max "
    "sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler "
    "sched_yield sendmsg sendto set_robust_list shutdown sigaltstack sysinfo uname write "
    "writev"
).split()
_SPILL = (
    "access faccessat faccessat2 fadvise64 fallocate fdatasync fstatfs fsync ftruncate "
    "getdents64 lstat mkdir newfstatat openat pwrite64 readlink rmdir stat statfs statx "
    "unlink unlinkat"
).split()


@dataclass(frozen=True, slots=True)
class Walls:
    """Which of the optional ones stand."""

    network: bool
    root: bool
    user: bool


class NotWalled(Exception):
    """A wall that must stand does not; the text says which."""


def leave_network() -> bool:
    """Move into a network of nobody's, where there is such a thing; children are born into it."""
    apart = _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS
    return _unshare(apart) or _unshare(_CLONE_NEWUSER | apart)


def confine(limits: Limits, place: str, *, network: bool) -> Walls:
    """Give up what a statement never needs. Call before the engine has threads.

    Args:
        limits: what it may use.
        place: a directory of its own, empty; with a root of its own it sees nothing else.
        network: what `leave_network` said.
    """
    privileged = os.geteuid() == 0
    rooted = _change_root(place)
    if privileged and limits.user:
        os.setgroups([])
        os.setresgid(limits.user, limits.user, limits.user)
        os.setresuid(limits.user, limits.user, limits.user)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.umask(0o077)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _FILES)
    _limit(resource.RLIMIT_FSIZE, limits.spill if rooted else 0)
    _limit(resource.RLIMIT_CPU, limits.seconds)
    return Walls(network=network, root=rooted, user=privileged and bool(limits.user))


def _change_root(place: str) -> bool:
    try:
        os.chroot(place)
        os.chdir("/")
    except OSError:
        os.chdir(place)
        return False
    return True


def _unshare(flags: int) -> bool:
    return ctypes.CDLL(None, use_errno=True).unshare(flags) == 0


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise NotWalled(f"prctl {option} failed with {ctypes.get_errno()}")


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def limit_memory(limits: Limits, taken: int) -> None:
    """No more address space than `taken` bytes and what the statement may hold."""
    _limit(resource.RLIMIT_AS, taken + 2 * limits.memory + _CODE_AND_STACKS // 4)


def close_gate(walls: Walls) -> None:
    """Allow only the system calls that computing needs, for every thread, for good.

    With a root of its own the engine may have files there, to spill to; without, no file is opened
    any more. Whatever else is called gives EPERM; ENOSYS where the C library has another way.
    """
    gate = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    gate.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
    for name in (*_COMPUTE, *(_SPILL if walls.root else ())):
        gate.add_rule(pyseccomp.ALLOW, name)
    itself = pyseccomp.Arg(0, pyseccomp.EQ, os.getpid())
    gate.add_rule(pyseccomp.ALLOW, "tgkill", itself)
    gate.add_rule(pyseccomp.ALLOW, "prlimit64", pyseccomp.Arg(0, pyseccomp.EQ, 0))
    thread = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)
    gate.add_rule(pyseccomp.ALLOW, "clone", thread)
    gate.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    gate.load()


def check(expected: frozenset[int]) -> None:
    """Try what must not be possible.

    Raises:
        NotWalled: it is possible.
    """
    for what, attempt in (
        ("a socket", lambda: socket.socket(socket.AF_INET)),
        ("a local socket", socket.socketpair),
        ("a process", os.fork),
        ("a program", lambda: os.execv(sys.executable, [sys.executable])),  # noqa: S606 - must fail
        ("a file of the machine", lambda: os.open("/etc/passwd", os.O_RDONLY)),
        ("another process", lambda: os.kill(os.getppid() or 1, 0)),
    ):
        _must_fail(what, attempt)
    if os.environ:
        raise NotWalled("the environment is not empty")
    if open_files() != expected:
        raise NotWalled("files are open that nothing here needs")


def _must_fail(what: str, attempt: object) -> None:
    assert callable(attempt)
    with suppress(OSError):
        attempt()
        raise NotWalled(f"{what} can be had")


def open_files() -> frozenset[int]:
    """The descriptors that are open, of those that there may be."""
    found: set[int] = set()
    for number in range(_FILES):
        with suppress(OSError):
            os.get_inheritable(number)
            found.add(number)
    return frozenset(found)
