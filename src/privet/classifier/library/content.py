"""Rules by the cells of a column: only where these have a shape of their own.

Bare digits have none: five of them are an amount, a year or a key more often than a zip code. A
check digit gives them one, once enough of them have it.
"""

from __future__ import annotations

from privet.classifier.checks import NATIONAL_CHECKS
from privet.classifier.library import tags
from privet.model.datasets import Rule, RuleTarget
from privet.model.names import TagName

_FEW_ROWS = 3
"""Cells with a shape of their own need few rows: three that all match are no coincidence."""
_ENOUGH_ROWS = 10
"""One number in ten has a right check digit by chance; ten of ten have not."""
_MANY_ROWS = 20

_STREET = "(?:st|street|ave|avenue|rd|road|blvd|boulevard|ln|lane|dr|drive|ct|court|way|pl|place)"


def _rule(
    name: str,
    tag: TagName,
    pattern: str,
    check: str = "",
    *,
    match_rate: float = 0.8,
    min_rows: int = _FEW_ROWS,
) -> Rule:
    return Rule(
        name=f"builtin_{name}_content",
        tag=tag,
        pattern=pattern,
        targets=frozenset({RuleTarget.CELL_CONTENT}),
        match_rate=match_rate,
        min_rows=min_rows,
        check=check,
        builtin=True,
        description=f"columns whose cells look like {tag}",
    )


_NATIONAL = tuple(
    _rule(
        f"national_id_{check.removeprefix('stdnum.').replace('.', '_').replace('__', '_')}",
        tags.NATIONAL,
        pattern,
        check,
        match_rate=0.85,
        min_rows=_ENOUGH_ROWS,
    )
    for check, pattern in NATIONAL_CHECKS.items()
)

CONTENT_RULES: tuple[Rule, ...] = (
    _rule(
        "email",
        tags.EMAIL,
        r"(?:mailto:"
        r"|[^<>@]*<)?[^@\s<>,;:]+@[^@\s.,;<>]+(?:\.[^@\s.,;<>]+)*\.[^@\s.\d,;<>]{2,}>?",
        match_rate=0.4,
    ),
    _rule(
        "phone",
        tags.PHONE,
        r"(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?"
        r"|\+\d{1,3}(?:[ .()/-]{0,3}\d){6,13}(?: ?(?:x|ext\.?) ?\d{1,6})?",
        match_rate=0.6,
    ),
    _rule(
        "phone_national",
        tags.PHONE,
        r"(?:(?:\+"
        r"|00)\d{1,3}[ .-]?)?\(?0?\d{1,5}\)?[ ./-]{1,3}\d{2,5}(?:[ .-]\d{2,5})"
        r"{0,4}(?: ?x\d{1,6})?"
        r"|(?:\+|00)\d{8,14}|0\d{8,10}",
        "phone",
        match_rate=0.9,
        min_rows=_ENOUGH_ROWS,
    ),
    _rule(
        "credit_card",
        tags.CARD,
        r"[2-6]\d{3}(?:[ -]?\d){8,15}|(?:1800|2131)\d{11}",
        "card",
        match_rate=0.7,
    ),
    # Areas 000, 666 and 9xx, group 00 and serial 0000 were never given out.
    _rule(
        "ssn",
        tags.SSN,
        r"(?:00[1-9]|0[1-9]\d|[1-578]\d{2}|6[0-57-9]\d|66[0-57-9])[ -](?:0[1-9]|[1-9]\d)[ -]"
        r"(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])",
    ),
    _rule("ip_address", tags.IP, r"[0-9A-Fa-f:.]{3,45}", "ip_address", match_rate=0.6),
    _rule(
        "mac_address",
        tags.MAC,
        r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}"
        r"|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}",
        match_rate=0.6,
    ),
    _rule(
        "imei",
        tags.DEVICE,
        r"(?:0[1-9]|1[03]|3[035]|4[459]|5[0-4]|86|9[189])\d{4}-?\d{2}-?\d{6}-?\d",
        "imei",
        match_rate=0.85,
        min_rows=_ENOUGH_ROWS,
    ),
    _rule("iban", tags.IBAN, r"[A-Za-z]{2}\d{2}(?: ?[0-9A-Za-z]){11,30}", "iban", match_rate=0.4),
    _rule("vin", tags.VIN, r"[A-HJ-NPR-Za-hj-npr-z0-9]{17}", "vin", min_rows=_ENOUGH_ROWS),
    _rule("npi", tags.NPI, r"[12]\d{9}", "npi", match_rate=0.9, min_rows=_MANY_ROWS),
    _rule("dea", tags.LICENSE, r"[A-Z][A-Z9]\d{7}", "dea", match_rate=0.85, min_rows=_ENOUGH_ROWS),
    _rule(
        "mbi",
        tags.PLAN,
        r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}",
    ),
    _rule(
        "diagnosis",
        tags.DIAGNOSIS,
        r"[A-TV-Z]\d[0-9AB]\.[0-9A-Z]{1,4}",
        match_rate=0.5,
        min_rows=_ENOUGH_ROWS,
    ),
    _rule(
        "address",
        tags.ADDRESS,
        rf"(?i)\d{{1,6}}[a-z]?,? (?:[\pL\d.'-]+ )+{_STREET}\.?(?:[ ,\n](?s:.*))?",
        match_rate=0.7,
    ),
    _rule("address_any", tags.ADDRESS, r"(?s)[^@]*\d[^@]*", "address", match_rate=0.6, min_rows=5),
    _rule(
        "full_name",
        tags.PERSON,
        r"[\pL\pM'\x{2019}`.,()\" -]+",
        "full_name",
        match_rate=0.6,
        min_rows=5,
    ),
    _rule(
        "rare_full_name",
        tags.PERSON,
        r"[\pL\pM'\x{2019}`.,() -]+",
        "rare_full_name",
        match_rate=0.45,
        min_rows=_MANY_ROWS,
    ),
    _rule(
        "given_name",
        tags.PERSON,
        r"[\pL\pM'\x{2019}`-]+",
        "given_name",
        match_rate=0.75,
        min_rows=_ENOUGH_ROWS,
    ),
    _rule(
        "family_name",
        tags.PERSON,
        r"[\pL\pM'\x{2019}` -]+",
        "family_name",
        match_rate=0.85,
        min_rows=_MANY_ROWS,
    ),
    _rule(
        "east_asian_name",
        tags.PERSON,
        r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul} \x{3000}]+",
        "east_asian_name",
        match_rate=0.9,
        min_rows=_ENOUGH_ROWS,
    ),
    _rule(
        "zip",
        tags.ZIP,
        r"\d{5}-\d{4}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-CEGHJ-NPR-TVXY]\d[A-Z] ?\d[A-Z]\d",
    ),
    _rule(
        "geolocation", tags.PLACE, r"\(?-?\d{1,2}\.\d{3,}[,;] ?-?\d{1,3}\.\d{3,}\)?|POINT ?\(.*\)"
    ),
    _rule("url", tags.URL, r"(?i)(?:https?|ftps?)://\S+|www\.\S+\.\S+", match_rate=0.6),
    _rule(
        "password",
        tags.PASSWORD,
        r"\$(?:2[abxy]|argon2(?:id|i|d)|[156y]|pbkdf2[a-z0-9-]*"
        r"|scrypt)\$[./A-Za-z0-9$=,+-]{20,}|pbkdf2_sha256\$.*|\{(?:SSHA|SHA|CRYPT|MD5"
        r"|SMD5)\d*\}.*",
        match_rate=0.5,
    ),
    _rule(
        "secret",
        tags.SECRET,
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*|A[KS]IA[0-9A-Z]{16}"
        r"|(?:Bearer )?eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"
        r"|gh[pousr]_[0-9A-Za-z]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}"
        r"|xox[abeoprs]-[0-9A-Za-z-]{10,}|AIza[\w-]{35}"
        r"|[rs]k_(?:live|test)_[0-9A-Za-z]{16,}|whsec_\w{16,}|SG\.[\w-]{16,}\.[\w-]{16,}"
        r"|npm_[0-9A-Za-z]{36}|pypi-[\w-]{40,}"
        r"|hf_[0-9A-Za-z]{30,}|do[opr]_v1_[0-9a-f]{64}|sk-[\w-]{20,}"
        r"|[a-z][a-z0-9+]*://[^\s:/@]+:[^\s@]+@\S+|\d{8,10}:[\w-]{35}",
        match_rate=0.2,
    ),
    *_NATIONAL,
)
