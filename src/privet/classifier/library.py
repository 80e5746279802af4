"""The built-in tags and the rules that propose them.

A rule by name says what a column is for; a rule by content only speaks where the cells have a shape
of their own. Bare digits have none: five of them are an amount, a year or a key more often than a
zip code, so there the name has to say it.
"""

from __future__ import annotations

from privet.model.datasets import Rule, RuleTarget
from privet.model.names import TagName

_EMAIL = TagName("pii", "email")
_PHONE = TagName("phi", "phone_number")
_CARD = TagName("pii", "credit_card")
_SSN = TagName("pii", "ssn")
_IP = TagName("pii", "ip_address")
_BIRTH = TagName("pii", "date_of_birth")
_PERSON = TagName("pii", "person_name")
_ADDRESS = TagName("pii", "address")
_ZIP = TagName("pii", "zip")
_PASSWORD = TagName("security", "password")
_SECRET = TagName("security", "secret")

BUILTIN_TAGS: tuple[tuple[TagName, str], ...] = (
    (_EMAIL, "e-mail addresses"),
    (_PHONE, "telephone and fax numbers"),
    (_CARD, "numbers of payment cards"),
    (_SSN, "social security numbers of the USA"),
    (_IP, "addresses of devices on the internet"),
    (_BIRTH, "dates of birth"),
    (_PERSON, "names of people"),
    (_ADDRESS, "street addresses"),
    (_ZIP, "postal codes"),
    (_PASSWORD, "passwords, in clear or hashed"),
    (_SECRET, "keys and tokens that open something"),
)

# Cells with a shape of their own need few rows: three that all match are no coincidence.
_FEW_ROWS = 3

_STREET = r"(?:st|street|ave|avenue|rd|road|blvd|boulevard|ln|lane|dr|drive|ct|court|way|pl|place)"


def _by_name(name: str, tag: TagName, pattern: str) -> Rule:
    return Rule(
        name=f"builtin_{name}_name",
        tag=tag,
        pattern=pattern,
        targets=frozenset({RuleTarget.COLUMN_NAME}),
        builtin=True,
        description=f"columns whose names say {tag}",
    )


def _by_content(name: str, tag: TagName, pattern: str, check: str = "") -> Rule:
    return Rule(
        name=f"builtin_{name}_content",
        tag=tag,
        pattern=pattern,
        targets=frozenset({RuleTarget.CELL_CONTENT}),
        match_rate=0.8,
        min_rows=_FEW_ROWS,
        check=check,
        builtin=True,
        description=f"text columns whose cells look like {tag}",
    )


BUILTIN_RULES: tuple[Rule, ...] = (
    _by_name("email", _EMAIL, r"(?:(?:^|_)e_?|e)mails?(?:_?addr(?:ess(?:es)?)?)?(?:_?\d*)$"),
    _by_content("email", _EMAIL, r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)*\.[^@\s.\d]{2,}"),
    _by_name(
        "phone",
        _PHONE,
        r"(?:^|_|home|work|cell|mobile|tele|office|day|evening|contact)phone(?:_|\d|s|no|num|$)"
        r"|(?:^|_)(?:tel|telno|tel_?num(?:ber)?|mobile_?(?:no|num|number)?|cell_?(?:no|num|number)"
        r"|fax(?:_?(?:no|num|number))?|msisdn)(?:_?\d*)$",
    ),
    _by_content(
        "phone",
        _PHONE,
        r"(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?: ?(?:x|ext\.?) ?\d{1,5})?"
        r"|\+\d{1,3}(?:[ .()-]{0,2}\d){6,13}",
    ),
    _by_name(
        "credit_card",
        _CARD,
        r"(?:credit|debit|payment)_?card(?:_?(?:no|num|number))?$"
        r"|(?:^|_)(?:card|cc)_?(?:no|num|number|pan)$|(?:^|_)ccn$",
    ),
    _by_content("credit_card", _CARD, r"[2-6]\d{3}(?:[ -]?\d){8,15}", "luhn"),
    _by_name("ssn", _SSN, r"(?:^|_)ssn(?:_|\d|$)|social_?security_?(?:no|num|number|$)"),
    # Areas 000, 666 and 9xx, group 00 and serial 0000 were never given out.
    _by_content(
        "ssn",
        _SSN,
        r"(?:00[1-9]|0[1-9]\d|[1-578]\d{2}|6[0-57-9]\d|66[0-57-9])[ -](?:0[1-9]|[1-9]\d)[ -]"
        r"(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])",
    ),
    _by_name("ip_address", _IP, r"(?:^|_)ip(?:v[46])?(?:_?addr(?:ess)?)?(?:_?\d*)$"),
    _by_content("ip_address", _IP, r"[0-9A-Fa-f:.]{3,45}", "ip_address"),
    _by_name("date_of_birth", _BIRTH, r"(?:^|_)(?:dob|birth_?(?:date|day)|date_?of_?birth)(?:_|$)"),
    _by_name(
        "person_name",
        _PERSON,
        r"(?:^|_)(?:first|last|middle|given|family|full|maiden|nick|sur|fore|patient|person|member"
        r"|customer|client|employee|doctor|physician|contact)_?names?(?:_?\d*)$"
        r"|(?:^|_)surnames?$",
    ),
    _by_name(
        "address",
        _ADDRESS,
        r"(?:^|_)(?:(?:street|home|mailing|postal|billing|shipping|residential|work|contact)_?addr"
        r"(?:ess)?|street(?:_?name)?)$|^addr(?:ess)?(?:_?(?:line)?_?\d+)?$",
    ),
    _by_content(
        "address",
        _ADDRESS,
        rf"(?i)\d{{1,6}}[a-z]?,? (?:[\pL\d.'-]+ ){{1,5}}{_STREET}\.?(?:[ ,].*)?",
    ),
    _by_name("zip", _ZIP, r"(?:^|_)(?:zip|zip_?code|zip_?\d|post(?:al)?_?code|postcode)$"),
    _by_content("zip", _ZIP, r"\d{5}-\d{4}"),
    _by_name(
        "password",
        _PASSWORD,
        r"(?:^|_)(?:password|passwd|pwd|passphrase|pass_?phrase)(?:_|\d|$)"
        r"|password$",
    ),
    _by_content(
        "password", _PASSWORD, r"\$(?:2[abxy]|argon2(?:id|i|d)|[156y])\$[./A-Za-z0-9$=,+-]{20,}"
    ),
    _by_name(
        "secret",
        _SECRET,
        r"(?:^|_)(?:client_?secret|secret(?:_?(?:key|access_?key))?|api_?key|private_?key"
        r"|access_?key|(?:access|auth|api|bearer|refresh|session)_?token)$",
    ),
    _by_content(
        "secret",
        _SECRET,
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*|A[KS]IA[0-9A-Z]{16}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*",
    ),
)
