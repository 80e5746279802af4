"""Columns that are about nobody, many of which look or sound nearly like some that are."""

from __future__ import annotations

import hashlib
import http
import keyword
import mimetypes
import string
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from faker import Faker
from sklearn import datasets

from labelled.people import Labelled, Make

_WORDS = (
    "alpha beta gamma delta red green blue steel copper maple cotton basic pro max mini".split()
)


def _pick(*values: object) -> Make:
    return lambda _, chance: chance.choice(values)


def _number(low: int, high: int) -> Make:
    return lambda _, chance: chance.randrange(low, high)


def _text(pattern: str) -> Make:
    def make(_: Faker, chance: Random) -> str:
        signs = {"#": string.digits, "?": string.ascii_uppercase, "%": "0123456789abcdef"}
        return "".join(chance.choice(signs.get(c, c)) for c in pattern)

    return make


def _company(fake: Faker, chance: Random) -> str:
    ending = chance.choice(("Inc", "LLC", "GmbH", "Ltd", "Group", "& Sons", "AG"))
    return f"{fake.last_name()} {ending}"


MADE: tuple[tuple[tuple[str, ...], Make], ...] = (
    (("id", "order_id", "row_no", "customer_id"), _number(1, 10**6)),
    (("order_number", "invoice_no", "ticket", "sku"), _text("ORD-####-####")),
    (("order_no", "batch", "reference", "tracking_number"), _text("##########")),
    (("item_code", "lot_number", "case_no"), _text("###-###-###")),
    (("barcode", "ean", "gtin"), _text("40#########")),
    (
        ("amount", "price", "unit_price", "total", "email_cost", "phone_bill"),
        lambda _, c: round(c.uniform(1, 9999), 2),
    ),
    (("salary", "balance", "account_balance"), lambda _, c: f"{c.uniform(1, 99999):.2f}"),
    (("quantity", "email_count", "num_phones", "card_count", "ip_count", "visits"), _number(0, 60)),
    (("age", "children", "rating", "address_score"), _number(0, 99)),
    (("percent", "pct_mobile", "match_rate"), lambda _, c: c.random()),
    (("year", "model_year", "birth_year_cohort"), _number(1950, 2025)),
    (
        (
            "created_at",
            "updated_at",
            "phone_verified_at",
            "password_changed_at",
            "email_sent_at",
            "timestamp",
        ),
        lambda f, _: f.iso8601(),
    ),
    (("order_date", "due_date", "ship_date", "date"), lambda f, _: f.date()),
    (("start_time", "departure"), lambda f, _: f.time()),
    (("epoch", "ts"), _number(10**9, 2 * 10**9)),
    (
        ("uuid", "guid", "request_id", "trace_id"),
        lambda _, c: str(__import__("uuid").UUID(int=c.getrandbits(128))),
    ),
    (("sha256", "checksum", "etag", "file_hash"), _text("%" * 64)),
    (("md5", "digest", "commit"), _text("%" * 32)),
    (
        ("version", "release", "app_version"),
        lambda _, c: f"{c.randrange(9)}.{c.randrange(20)}.{c.randrange(30)}",
    ),
    (
        ("firmware", "build", "driver_version"),
        lambda _, c: ".".join(str(c.randrange(20)) for _ in range(4)),
    ),
    (
        ("is_active", "email_verified", "has_phone", "opted_out", "address_valid"),
        _pick("yes", "no"),
    ),
    (("flag", "email", "phone", "password", "photo"), _pick("Y", "N")),
    (("status", "state", "card_status", "passport_status"), _pick("open", "closed", "pending")),
    (("card_type", "card_brand"), _pick("visa", "mastercard", "amex")),
    (("phone_type", "contact_type", "address_type"), _pick("home", "work", "mobile")),
    (("gender", "sex"), _pick("male", "female")),
    (("smoker", "consent"), _pick(True, False)),
    (("email_domain", "domain"), lambda f, _: f.domain_name()),
    (("company", "vendor", "employer", "supplier_name", "manufacturer"), _company),
    (
        ("product_name", "product", "item_name", "model"),
        lambda _, c: f"{c.choice(_WORDS).title()} {c.choice(_WORDS).title()} {c.randrange(99)}",
    ),
    (("file_name", "filename", "attachment"), lambda f, _: f.file_name()),
    (("path", "file_path", "s3_key"), lambda f, _: f.file_path(depth=3)),
    (("mime_type", "content_type"), lambda f, _: f.mime_type()),
    (("user_agent", "browser"), lambda f, _: f.user_agent()),
    (("country", "nationality", "country_name"), lambda f, _: f.country()),
    (("country_code", "iso2"), lambda f, _: f.country_code()),
    (("currency", "currency_code"), lambda f, _: f.currency_code()),
    (("language", "locale"), lambda f, _: f.locale()),
    (("job_title", "occupation", "position"), lambda f, _: f.job()),
    (("color", "colour"), lambda f, _: f.color_name()),
    (("hex_color",), lambda f, _: f.hex_color()),
    (("comment", "notes", "description", "review"), lambda f, _: f.sentence()),
    (("category", "tag", "topic"), lambda f, _: f.word()),
    (("isbn", "isbn13"), lambda f, _: f.isbn13()),
    (("iata", "airport"), _text("???")),
    (("room", "seat", "gate"), _text("?##")),
    (("temperature", "pressure", "voltage"), lambda _, c: round(c.gauss(20, 5), 1)),
    (("latency_ms", "duration", "bytes"), _number(1, 10**5)),
    (("json", "payload", "properties"), lambda _, c: f'{{"a": {c.randrange(99)}}}'),
    (("memory_address", "pointer"), _text("0x%%%%%%%%")),
    (("cell_type", "cell_line", "phonetic"), _pick("T", "B", "HeLa", "HEK293")),
    (("weekday", "month"), lambda f, _: f.day_of_week()),
    (("priority", "grade", "blood_type"), _pick("A", "B", "C", "AB")),
    (("dimension", "size"), lambda _, c: f"{c.randrange(90)}x{c.randrange(90)}"),
    (("zip_file", "zipper", "archive"), _pick("metal", "plastic", "brass")),
    (("key", "primary_key", "foreign_key", "partition_key"), _number(1, 9999)),
    (("token_count", "tokens_used"), _number(1, 9999)),
    (("postage", "post_id", "posts"), _number(1, 9999)),
    (("stateful", "nameplate_capacity", "license_fee"), _number(100, 9999)),
    (("mac_os", "mac_model"), _pick("Sonoma", "Ventura", "Monterey")),
    (("patient_count", "member_since_year", "user_count"), _number(0, 999)),
)


def ordinary(rows: int) -> Iterator[Labelled]:
    """Columns made by chance, the same for the same number of rows, and public ones."""
    for names, make in MADE:
        for name in names:
            seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
            fake, chance = Faker("en_US"), Random(seed)
            fake.seed_instance(seed)
            cells = tuple(make(fake, chance) for _ in range(rows))
            yield Labelled(name, cells, frozenset(), "ordinary")
    for name, cells in _public():
        yield Labelled(name, tuple(cells[:rows]), frozenset(), "ordinary")


def _public() -> Iterator[tuple[str, Sequence[object]]]:
    """Columns of what packages bring along, about nobody."""
    yield "zone", sorted(zoneinfo.available_timezones())
    yield "reason", [status.phrase for status in http.HTTPStatus]
    yield "keyword", keyword.kwlist * 3
    yield "media", sorted(mimetypes.types_map.values())
    yield "suffix", sorted(mimetypes.types_map)
    yield "sign", [unicodedata.name(chr(at)) for at in range(0x2200, 0x22FF)]
    yield "codec", sorted(__import__("encodings.aliases", fromlist=["x"]).aliases.values())
    loaders: tuple[Callable[..., Any], ...] = (
        datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_diabetes,
    )  # fmt: skip
    for load in loaders:
        frame = load(as_frame=True).frame
        for name in frame.columns:
            yield str(name), frame[name].tolist()
