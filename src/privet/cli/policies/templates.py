"""Policies to begin with, as statements and as files. What each means is in docs/how-to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

from privet.cli.policies import files
from privet.model.errors import InvalidRequest

HIPAA = "hipaa-safe-harbor"
ROLE = "safe_harbor_role"
_NULL = "null()"


@dataclass(frozen=True, slots=True)
class Identifier:
    """One of the identifiers that Safe Harbor removes.

    Attributes:
        letter: of its paragraph in 45 CFR 164.514(b)(2)(i).
        what: in a few words.
        clauses: tags and the transform of columns that bear one of them.
    """

    letter: str
    what: str
    clauses: tuple[tuple[tuple[str, ...], str], ...]


def _one(letter: str, what: str, *tags: str) -> Identifier:
    return Identifier(letter, what, ((tags, _NULL),))


IDENTIFIERS: tuple[Identifier, ...] = (
    _one("A", "names", "pii.person_name"),
    Identifier(
        "B",
        "places smaller than a state, but for three digits of the ZIP code",
        (
            (("pii.address", "pii.city", "pii.geolocation", "phi.place"), _NULL),
            (("pii.zip",), "phi_zip3()"),
        ),
    ),
    Identifier(
        "C",
        "dates but for the year, ages over 89",
        (
            (("phi.date", "phi.care_date"), "phi_date()"),
            (("pii.date_of_birth",), "phi_dob()"),
            (("phi.age",), "phi_age()"),
        ),
    ),
    _one("D", "telephone numbers", "phi.phone_number"),
    _one("E", "fax numbers", "phi.fax_number"),
    _one("F", "e-mail addresses", "pii.email"),
    _one("G", "social security numbers", "pii.ssn"),
    _one("H", "medical record numbers", "phi.mrn", "phi.medical_record_number"),
    _one("I", "health plan beneficiary numbers", "phi.health_plan_number"),
    _one(
        "J",
        "account numbers",
        *("pii.bank_account", "pii.iban", "pii.credit_card", "pii.card_expiry"),
        "pii.card_security_code",
    ),
    _one(
        "K",
        "certificate and license numbers",
        *("pii.license_number", "pii.driver_license", "phi.npi"),
    ),
    _one("L", "vehicle identifiers, license plates", "pii.vin", "pii.license_plate"),
    _one("M", "device identifiers and serial numbers", "pii.device_id", "pii.mac_address"),
    _one("N", "web addresses", "pii.url"),
    _one("O", "internet addresses of devices", "pii.ip_address"),
    _one("P", "biometric identifiers, such as finger and voice prints", "pii.biometric"),
    _one("Q", "photographs of full faces, and the like", "pii.photo"),
    _one(
        "R",
        "all else that identifies somebody, and free text that may",
        *("phi.other_identifier", "phi.free_text", "pii.national_id", "pii.passport"),
        *("pii.username", "security.password", "security.secret"),
    ),
)
_BUILT_IN = frozenset({"pii", "security"})
_BUILT_IN_TAGS = frozenset(
    f"phi.{key}"
    for key in "phone_number health_plan_number medical_record_number care_date npi".split()
)


def own_tags() -> dict[str, str]:
    """The tags that are not built in, with what each marks."""
    return {
        tag: f"({each.letter}) {each.what}"
        for each in IDENTIFIERS
        for tags, _ in each.clauses
        for tag in tags
        if tag.partition(".")[0] not in _BUILT_IN and tag not in _BUILT_IN_TAGS
    }


def statements(role: str) -> Iterator[tuple[str, str]]:
    """What each statement is for, and its text without a semicolon."""
    for tag, what in own_tags().items():
        yield f"tag: {what}", f"CREATE ATTRIBUTE IF NOT EXISTS {tag}"
    yield "the role of those who read what is left", f"CREATE ROLE IF NOT EXISTS {role}"
    yield from _safeguards(role)


def _safeguards(role: str) -> Iterator[tuple[str, str]]:
    for each in IDENTIFIERS:
        clauses = "".join(f"\n  TRANSFORM {_any(tags)} WITH {call}" for tags, call in each.clauses)
        statement = f"RESTRICT SELECT ON CATALOG{clauses}\n  FROM ROLE {role}"  # noqa: S608 - of a policy
        yield f"({each.letter}) {each.what}", statement


def _any(tags: tuple[str, ...]) -> str:
    return tags[0] if len(tags) == 1 else f"IN ({', '.join(tags)})"


def template_sql(name: str, role: str) -> str:
    """All statements, each under what it is for and ended by a semicolon.

    Raises:
        InvalidRequest: there is no such template.
    """
    _require(name)
    return "\n".join(f"-- {what}\n{text};" for what, text in statements(role)) + "\n"


def template_files(name: str, role: str) -> dict[str, str]:
    """The same as files for `privet policy apply`.

    Raises:
        InvalidRequest: there is no such template.
    """
    _require(name)
    keys = "".join(
        f'{tag.partition(".")[2]} = "{what}"\n' for tag, what in sorted(own_tags().items())
    )
    return {
        files.TAGS: f"[phi]\n{keys}",
        files.ROLES: f"{role} = []\n",
        f"{files.PERMISSIONS}/{role}.sql": "\n".join(
            f"-- {what}\n{text};" for what, text in _safeguards(role)
        )
        + "\n",
    }


def _require(name: str) -> None:
    if name != HIPAA:
        raise InvalidRequest(f"there is no template `{name[:64]}`", hint=f"there is {HIPAA}")


NEXT = dedent(
    """\
    -- Nobody reads anything by these. Next, for each database: tag its columns, review them, and
    --   GRANT SELECT ON DATABASE name TO ROLE {role}
    --   GRANT ROLE {role} TO GROUP name
    """
)
