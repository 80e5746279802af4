"""What the guides for stewards say is true: their blocks run, where the tutorial ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from doors.servers import TrialServer
from doors.steward import Steward, write
from privet import connect
from privet.demo.generate import generate

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 120


def run_guide(name: str, server: TrialServer, folder: Path) -> str:
    """Run the blocks of a guide as one script; what it printed."""
    blocks = _BLOCK.findall((GUIDES / name).read_text("utf-8"))
    assert blocks
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PRIVET_")}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", "\n".join(blocks)],
        cwd=folder,
        env=clean
        | {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), clean["PATH"])),
            "HOME": str(folder),
            "PRIVET_URL": server.rest_url,
            "PRIVET_TOKEN": server.admin_token,
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.service
def test_policies_in_git(server: TrialServer, governed: str, tmp_path: Path) -> None:
    """Exported, changed, compared, applied, and removed again."""
    told = run_guide("policies-in-git.md", server, tmp_path)
    assert "+ role outreach_role  [roles.toml:" in told
    assert "- role outreach_role" in told
    assert "applied 3 changes" in told
    assert (tmp_path / "policies/permissions/healthcare_analyst_role.sql").exists()


@pytest.mark.service
def test_see_what_a_policy_does(server: TrialServer, governed: str, tmp_path: Path) -> None:
    """The tables have what the page shows of them."""
    told = run_guide("see-what-a-policy-does.md", server, tmp_path)
    lines = {" ".join(line.split()) for line in told.splitlines()}
    assert "~ mrn tokenize() tokenize(), then mask()" in lines
    assert any("where opted_out is not 1 and age is more than 30" in line for line in lines)
    assert any(line.startswith("admin in clear all admin") for line in lines)


@pytest.mark.service
def test_join_on_tokens(fresh_server: Callable[..., TrialServer], tmp_path: Path) -> None:
    """Declared, admitted, reported on, turned back, rotated and mapped, on a server of its own."""
    server = fresh_server("tokens")
    steward = Steward(server)
    steward.ensure_rules()
    lake = server.lake / "medical-costs"
    write(generate(), lake / "medical_costs.csv")
    steward.register(steward.crawl(lake), steward.database("medical_charges"), "medical_costs")
    told = run_guide("join-on-tokens.md", server, tmp_path)
    assert "admitted medical_charges.medical_costs to token domain people" in told
    assert "have a value of their own" in told
    assert "token domain people is at key version 2" in told
    assert "wrote " in told
    assert "completed" in told


@pytest.mark.service
def test_hipaa_safe_harbor(fresh_server: Callable[..., TrialServer], tmp_path: Path) -> None:
    """Written, applied, and nothing but what is left is read by whoever holds the role."""
    server = fresh_server("harbor")
    steward = Steward(server)
    steward.ensure_rules()
    lake = server.lake / "medical-costs"
    write(generate(), lake / "medical_costs.csv")
    steward.register(steward.crawl(lake), steward.database("medical_charges"), "medical_costs")
    told = run_guide("hipaa-safe-harbor.md", server, tmp_path)
    assert "wrote 3 files to safe-harbor" in told
    reader = server.token("of_harbor", "safe_harbor_group")
    with connect(server.flight_url, reader, ca=server.ca) as client:
        seen = client.scan("medical_charges.medical_costs").to_arrow()
    assert seen.num_rows > 100
    for gone in ("mrn", "phone"):
        assert seen[gone].null_count == seen.num_rows
    assert seen["charges"].null_count == 0
