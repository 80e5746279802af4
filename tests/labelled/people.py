"""Columns that are about people, of fictitious ones, each with the tag that it deserves."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from faker import Faker

LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "pl_PL", "sv_SE",
    "da_DK", "fi_FI", "cs_CZ", "hu_HU", "ro_RO", "hr_HR", "tr_TR", "no_NO", "es_MX", "pt_PT",
    "en_AU", "en_IN", "fr_CA", "ru_RU", "uk_UA", "ja_JP", "zh_CN", "ko_KR",
)  # fmt: skip
HELD_OUT = (
    "de_AT", "de_CH", "fr_CH", "fr_BE", "nl_BE", "es_CO", "es_AR", "es_CL", "en_NZ", "en_IE",
    "en_CA", "sk_SK", "sl_SI", "bg_BG", "el_GR", "et_EE", "lt_LT", "lv_LV", "id_ID", "zh_TW",
    "is_IS", "vi_VN", "he_IL",
)  # fmt: skip
"""Locales that nobody looked at while writing rules; their figures stand apart."""

Make = Callable[[Faker, Random], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column may hold.

    Attributes:
        tag: that it deserves.
        make: one cell.
        names: what people call such columns.
        shaped: whether cells alone say what they are, so that it is also tried under a name that
            says nothing.
        everywhere: whether cells differ between languages, so that it is tried in all.
    """

    tag: str
    make: Make
    names: tuple[str, ...]
    shaped: bool = False
    everywhere: bool = False


def _digits(count: int) -> Make:
    return lambda _, chance: "".join(chance.choices(string.digits, k=count))


def _like(pattern: str) -> Make:
    """`#` is a digit, `?` a capital letter."""

    def make(_: Faker, chance: Random) -> str:
        signs = {"#": string.digits, "?": string.ascii_uppercase}
        return "".join(chance.choice(signs.get(c, c)) for c in pattern)

    return make


def _checked(length: int, prefix: str = "") -> Make:
    """Digits with the check digit of Luhn."""

    def make(_: Faker, chance: Random) -> str:
        body = prefix + "".join(chance.choices(string.digits, k=length - 1 - len(prefix)))
        doubled = [int(d) * (2 - at % 2) for at, d in enumerate(reversed(body))]
        return body + str(-sum(d - 9 * (d > 9) for d in doubled) % 10)

    return make


def _token(prefix: str, count: int, signs: str = string.ascii_letters + string.digits) -> Make:
    return lambda _, chance: prefix + "".join(chance.choices(signs, k=count))


def _bcrypt(_: Faker, chance: Random) -> str:
    return "$2b$12$" + "".join(chance.choices(string.ascii_letters + string.digits + "./", k=53))


def _birth(fake: Faker, _: Random) -> str:
    return fake.date_of_birth().strftime("%d.%m.%Y")


def _address(fake: Faker, _: Random) -> str:
    return fake.address().replace("\n", ", ")


KINDS: tuple[Kind, ...] = (
    Kind(
        "pii.email",
        lambda f, _: f.email(),
        ("email", "E-Mail", "contactEmail", "correo_electronico", "mail_addr"),
        True,
        True,
    ),
    Kind(
        "phi.phone_number",
        lambda f, _: f.phone_number(),
        ("phone", "ph_no", "telefonnummer", "mobilePhone", "numero_telefono", "tel"),
        False,
        True,
    ),
    Kind(
        "pii.person_name",
        lambda f, _: f.name(),
        ("full_name", "patientName", "nombre_completo", "kundenname", "customer_name"),
        True,
        True,
    ),
    Kind(
        "pii.person_name",
        lambda f, _: f.first_name(),
        ("first_name", "fname", "vorname", "prenom", "GivenName"),
        False,
        True,
    ),
    Kind(
        "pii.person_name",
        lambda f, _: f.last_name(),
        ("last_name", "surname", "nachname", "apellido", "familyName"),
        False,
        True,
    ),
    Kind(
        "pii.address",
        _address,
        ("address", "street_address", "homeAddress", "anschrift", "direccion"),
        True,
        True,
    ),
    Kind(
        "pii.city",
        lambda f, _: f.city(),
        ("city", "wohnort", "ville", "City_Name", "ciudad"),
        False,
        True,
    ),
    Kind(
        "pii.zip",
        lambda f, _: f.postcode(),
        ("zip", "postal_code", "plz", "postcode", "codigo_postal"),
        False,
        True,
    ),
    Kind(
        "pii.national_id",
        lambda f, _: f.ssn(),
        ("national_id", "personnummer", "tax_id", "dni", "identity_card_no"),
        False,
        True,
    ),
    Kind(
        "pii.date_of_birth",
        _birth,
        ("dob", "geb_datum", "birthDate", "fecha_nacimiento", "date_of_birth"),
        False,
        True,
    ),
    Kind("pii.ssn", lambda f, _: f.ssn(), ("ssn", "social_security_number", "SSN_NO"), True),
    Kind(
        "pii.credit_card",
        lambda f, _: f.credit_card_number(),
        ("cc_number", "creditCard", "card_no", "kreditkartennummer"),
        True,
    ),
    Kind(
        "pii.card_security_code",
        lambda f, _: f.credit_card_security_code(),
        ("cvv", "card_security_code", "cvc2"),
    ),
    Kind(
        "pii.card_expiry",
        lambda f, _: f.credit_card_expire(),
        ("card_expiry", "cc_exp_date", "cardExpirationDate"),
    ),
    Kind("pii.iban", lambda f, _: f.iban(), ("iban", "IBAN_Nr", "bank_iban"), True, True),
    Kind(
        "pii.bank_account",
        _digits(10),
        ("account_number", "bankAccountNo", "kontonummer", "acct_no"),
    ),
    Kind("pii.ip_address", lambda f, _: f.ipv4(), ("ip", "client_ip", "ipAddress", "src_ip"), True),
    Kind("pii.ip_address", lambda f, _: f.ipv6(), ("ipv6", "remote_addr_ip", "IP_ADDR"), True),
    Kind(
        "pii.mac_address", lambda f, _: f.mac_address(), ("mac", "mac_address", "deviceMac"), True
    ),
    Kind("pii.device_id", _checked(15, "35"), ("imei", "IMEI_NO", "device_id"), True),
    Kind("pii.device_id", _like("??########"), ("serial_number", "deviceSerial", "serial_no")),
    Kind("pii.vin", lambda f, _: f.vin(), ("vin", "vehicle_identification_number", "VIN_NO"), True),
    Kind(
        "pii.license_plate",
        lambda f, _: f.license_plate(),
        ("license_plate", "kennzeichen", "plate_no"),
        False,
        True,
    ),
    Kind("pii.passport", _like("?########"), ("passport_number", "passportNo", "reisepassnummer")),
    Kind(
        "pii.driver_license",
        _like("?#######"),
        ("driver_license", "drivers_license_no", "DriverLicenceNumber", "fuehrerscheinnummer"),
    ),
    Kind(
        "pii.license_number",
        _like("??-######"),
        ("license_number", "certificate_no", "medical_license"),
    ),
    Kind("pii.url", lambda f, _: f.uri(), ("url", "website", "homepage", "profile_url"), True),
    Kind(
        "pii.username",
        lambda f, _: f.user_name(),
        ("username", "userName", "login", "benutzername"),
    ),
    Kind("pii.geolocation", lambda f, _: f"{f.latitude()}", ("latitude", "lat", "gps_lat")),
    Kind(
        "pii.geolocation",
        lambda f, _: f"{f.latitude()}, {f.longitude()}",
        ("coordinates", "latlng", "geo_point"),
        True,
    ),
    Kind(
        "pii.biometric",
        _token("", 64, "0123456789abcdef"),
        ("fingerprint_template", "voiceprint", "face_embedding"),
    ),
    Kind(
        "pii.photo",
        lambda f, _: f.file_path(extension="jpg"),
        ("photo", "avatar", "profilePicture"),
    ),
    Kind(
        "phi.medical_record_number",
        _digits(8),
        ("mrn", "mrnNumber", "medical_record_no", "patient_id", "chartNumber"),
    ),
    Kind(
        "phi.health_plan_number",
        _like("???#########"),
        ("insurance_id", "health_plan_number", "medicare_id", "beneficiary_no"),
    ),
    Kind("phi.health_plan_number", lambda _, c: _mbi(c), ("mbi",), True),
    Kind(
        "phi.npi",
        lambda f, c: str(_checked(15, "808401")(f, c))[5:],
        ("npi", "provider_npi", "NPI_Number"),
        True,
    ),
    Kind(
        "phi.care_date",
        lambda f, _: str(f.date()),
        ("admission_date", "dischargeDate", "visit_date", "date_of_death"),
    ),
    Kind(
        "phi.diagnosis",
        lambda _, c: (
            f"{c.choice('ABCDEFGHIJKLMNZ')}{c.randrange(10)}{c.randrange(10)}.{c.randrange(10)}"
        ),
        ("icd10_code", "diagnosis_code", "dx"),
        True,
    ),
    Kind("security.password", _bcrypt, ("password_hash", "pwd", "passwort"), True),
    Kind("security.password", lambda f, _: f.password(), ("password", "user_password", "passwd")),
    Kind(
        "security.secret",
        _token("AKIA", 16, string.ascii_uppercase + string.digits),
        ("access_key", "aws_access_key_id", "awsAccessKey"),
        True,
    ),
    Kind("security.secret", _token("ghp_", 36), ("api_key", "auth_token", "clientSecret"), True),
    Kind("security.secret", lambda _, c: _jwt(c), ("access_token", "jwt", "bearer_token"), True),
)


def _mbi(chance: Random) -> str:
    letters = "ACDEFGHJKMNPQRTUVWXY"
    return "".join(
        chance.choice({"C": "123456789", "A": letters, "N": "0123456789"}[c]) for c in "CANNANNAANN"
    )


def _jwt(chance: Random) -> str:
    signs = string.ascii_letters + string.digits + "-_"
    parts = ("".join(chance.choices(signs, k=size)) for size in (20, 60, 43))
    head, body, end = parts
    return f"eyJ{head}.eyJ{body}.{end}"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A column with its cells, and the tags that it deserves: exactly these."""

    name: str
    cells: tuple[object, ...]
    tags: frozenset[str]
    group: str


def people(locale: str, rows: int, group: str, *, everything: bool) -> Iterator[Labelled]:
    """The columns of one locale, the same for the same arguments.

    Args:
        locale: of Faker.
        rows: how many cells in each.
        group: that the columns are counted in.
        everything: also kinds that are alike in all languages.
    """
    for number, kind in enumerate(KINDS):
        if not (kind.everywhere or everything) or _borrowed(kind, locale):
            continue
        for name in (*kind.names, *(("x7", "feld_c") if kind.shaped else ())):
            seed = int.from_bytes(hashlib.sha256(f"{locale}{number}{name}".encode()).digest()[:4])
            fake, chance = Faker(locale), Random(seed)
            fake.seed_instance(seed)
            cells = tuple(_dirty(kind.make, fake, chance) for _ in range(rows))
            yield Labelled(name, cells, frozenset({kind.tag}), group)


def _borrowed(kind: Kind, locale: str) -> bool:
    """Whether Faker has such numbers of another country only: all others get those of the USA."""
    own = {"pii.national_id": ("ssn", "ssn"), "pii.iban": ("bank", "country_code")}
    if kind.tag not in own:
        return False
    part, member = own[kind.tag]
    return not any(
        type(provider).__module__ == f"faker.providers.{part}.{locale}"
        and member in vars(type(provider))
        and locale != "en_US"
        for provider in Faker(locale).get_providers()
    )


def _dirty(make: Make, fake: Faker, chance: Random) -> object:
    """A cell; one in twenty is missing, one in fifty says so in words, one in fifty is odd."""
    lot = chance.random()
    if lot < 0.05:
        return None
    if lot < 0.07:
        return chance.choice(("N/A", "unknown", "-", ""))
    cell = str(make(fake, chance))
    return cell[: len(cell) // 2] if lot > 0.98 else cell
