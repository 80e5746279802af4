"""The walls, tried from inside: as root starts them, and as somebody who may do little."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import privet

INSIDE = Path(__file__).with_name("inside.py")
NOBODY, USER = 65_534, 61_184
MEMORY, SPILL = 128 * 2**20, 2**20
Said = dict[str, Any]


def _interpreter(user: int | None) -> tuple[str, dict[str, str]]:
    """A Python that this user may run, with our packages."""
    if user is None:
        return sys.executable, {}
    candidates = [sys.executable]
    if system := shutil.which(f"python3.{sys.version_info[1]}", path="/usr/bin:/usr/local/bin"):
        candidates.append(system)
    paths = [Path(privet.__file__).parents[1], Path(duckdb.__file__).parents[1]]
    variables = {"PYTHONPATH": ":".join(map(str, paths))}
    for candidate in candidates:
        done = _run([candidate, "-c", "import duckdb, pyseccomp, privet.sandbox"], user, variables)
        if done is not None and done.returncode == 0:
            return candidate, variables
    pytest.skip("no Python here that another user may run")


def _run(
    command: list[str], user: int | None, variables: dict[str, str]
) -> subprocess.CompletedProcess[str] | None:
    quiet = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
            env=quiet | variables,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    except PermissionError:
        return None


@pytest.fixture(scope="module", params=["as we are", "as nobody"])
def said(request: pytest.FixtureRequest) -> Iterator[Said]:
    """What a sandbox said of itself."""
    other = request.param == "as nobody"
    if other and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    user = NOBODY if other else None
    inner = USER if os.geteuid() == 0 and not other else 0
    python, variables = _interpreter(user)
    # Not below the folders of pytest, which only their owner may enter.
    place = tempfile.mkdtemp(prefix="privet-walls-")
    try:
        if os.geteuid() == 0:
            os.chown(place, user or inner, user or inner)
        command = [python, str(INSIDE), place, str(inner), str(MEMORY), str(SPILL)]
        done = _run(command, user, variables)
        assert done is not None
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert "unwalled" not in told, told
        assert "broke" not in told, told
        yield told
    finally:
        shutil.rmtree(place)


HARMFUL = (
    *("mount", "umount2", "pivot_root", "unshare", "setns", "ptrace", "process_vm_readv"),
    *("process_vm_writev", "kcmp", "pidfd_open", "pidfd_getfd", "bpf", "perf_event_open"),
    *("userfaultfd", "io_uring_setup", "memfd_create", "keyctl", "add_key", "shmget", "msgget"),
    *("semget", "mq_open", "inotify_init1", "fanotify_init", "epoll_create1", "eventfd2"),
    *("timerfd_create", "signalfd4", "personality", "modify_ldt", "iopl", "reboot", "sethostname"),
    *("init_module", "kexec_load", "swapon", "acct", "settimeofday", "clock_settime", "setuid"),
    *("setgid", "setgroups", "setresuid", "capset", "chroot", "chmod", "chown", "link", "symlink"),
    *("mknod", "rename", "execveat", "setpriority", "sched_setaffinity", "sched_setscheduler"),
    *("ioprio_set", "migrate_pages", "quotactl", "name_to_handle_at", "open_by_handle_at"),
    *("seccomp", "prctl", "arch_prctl", "setrlimit", "prlimit_of_init", "pipe2", "dup2", "dup3"),
    *("accept4", "bind", "listen", "connect", "landlock_create_ruleset", "tgkill_of_init", "tkill"),
    *("kill", "rt_sigqueueinfo", "getdents_of_proc", "splice", "sendfile", "copy_file_range"),
    *("inet", "inet6", "unix", "netlink", "socketpair", "fork", "exec", "parent"),
)


def test_no_harmful_system_call(said: Said) -> None:
    """Each is refused by the filter, whatever the user may do otherwise."""
    got = {name: said[name] for name in HARMFUL}
    assert {name: how for name, how in got.items() if how != "EPERM"} == {}
    assert said["clone3"] == "ENOSYS"


def test_no_file_of_the_machine(said: Said) -> None:
    """Not by path, not above its root, not of the system; a link leads nowhere."""
    paths = [name for name in said if name.startswith("read /")]
    assert len(paths) >= 5
    assert {said[name] for name in (*paths, "above", "dev null")} <= {"ENOENT", "EPERM"}
    assert said["links"] == "EPERM"
    assert set(said["root"]) <= {"spill"}


def test_nothing_is_inherited(said: Said) -> None:
    """No variable, no descriptor but the standard three and its channels."""
    assert said["environment"] == {}
    assert said["open"] == [0, 1, 2, 3, 4, 5]


def test_limits_hold(said: Said) -> None:
    """No core dump, little memory, few files, some processor time; none can be raised."""
    limits = {name: most for name, (_, most) in said["limits"].items()}
    assert limits["CORE"] == 0
    assert limits["NOFILE"] <= 64
    assert limits["CPU"] == 30
    assert 0 < limits["AS"] < 16 * 2**30
    assert limits["FSIZE"] <= SPILL
    raised = ("more processor time", "more memory", "more files", "core")
    assert {said[what] for what in raised} == {"EPERM"}
    assert said["a gigabyte"] == "ENOMEM"


def test_it_can_compute(said: Said) -> None:
    """Threads, and a private place for what does not fit in memory, as far as allowed."""
    assert said["a thread"] == "allowed"
    if said["walls"]["root"]:
        assert said["spill"] == "allowed"
        assert said["too much spill"] == "EFBIG"
    else:
        assert said["spill"] == "EPERM"


def test_the_system_says_the_same(said: Said) -> None:
    """No new rights, a filter, nobody's groups, no rights of root."""
    seen = said["seen"]
    assert seen["NoNewPrivs"] == "1"
    assert seen["Seccomp"] == "2"
    if os.geteuid() == 0:
        assert seen["Groups"] == ""
    if said["walls"]["user"]:
        assert set(seen["Uid"].split()) == {str(USER)}
        assert set(seen["Gid"].split()) == {str(USER)}
        assert int(seen["CapEff"], 16) == int(seen["CapPrm"], 16) == 0


def test_siblings_see_nothing(said: Said) -> None:
    """Another sandbox's user may not look into it, stop it or trace it."""
    if not said["walls"]["user"]:
        pytest.skip("without root all run as one user, behind the filter")
    assert set(said["sibling"].values()) <= {"EACCES", "EPERM"}


def test_a_wall_that_does_not_stand_is_noticed() -> None:
    """A process without walls that checks them refuses to go on."""
    program = "from privet.sandbox import walls; walls.check(frozenset({0, 1, 2}))"
    done = _run([sys.executable, "-W", "ignore", "-c", program], None, {})
    assert done is not None
    assert done.returncode == 1
    assert "NotWalled" in done.stderr
