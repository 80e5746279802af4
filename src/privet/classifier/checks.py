"""What a pattern cannot say about a cell: check digits, dates inside numbers, known words."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

from privet.classifier import people

_SEPARATORS = str.maketrans("", "", " -.")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_CARD_DIGITS = range(12, 20)
_AMERICAN_EXPRESS = 15
_OLD_VISA = 13
_PHONE_DIGITS = range(8, 19)


def is_luhn(cell: str) -> bool:
    """Whether a payment card's number has the check digit that it must have (ISO/IEC 7812)."""
    digits = [ord(c) - ord("0") for c in cell if c not in " -"]
    if len(digits) not in _CARD_DIGITS or not all(0 <= d <= 9 for d in digits):  # noqa: PLR2004
        return False
    # All zeros has a right check digit, and is what people type to fill a field.
    return (
        any(digits) and (sum(digits[-1::-2]) + sum(_DOUBLED[d] for d in digits[-2::-2])) % 10 == 0
    )


def is_card(cell: str) -> bool:
    """Whether issuers give such numbers to payment cards, with this length and check digit."""
    digits = cell.translate(_SEPARATORS)
    if len(digits) == _AMERICAN_EXPRESS and not digits.startswith(("34", "37", "2131", "1800")):
        return False
    if len(digits) == _OLD_VISA and not digits.startswith(("4", "50", "56", "57", "58", "6")):
        return False
    return is_luhn(digits)


def is_ip_address(cell: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, alone."""
    try:
        ipaddress.ip_address(cell)
    except ValueError:
        return False
    return True


def is_iban(cell: str) -> bool:
    """Whether this is an account number of ISO 13616, with the check digits of ISO 7064."""
    return iban.is_valid(cell, check_country=False)


def is_imei(cell: str) -> bool:
    """Whether this is the number of a mobile device, with its check digit."""
    return luhn.is_valid(cell.translate(_SEPARATORS))


def is_npi(cell: str) -> bool:
    """Whether this is the number of a health care provider in the USA, with its check digit."""
    return luhn.is_valid(f"80840{cell}")


def is_dea(cell: str) -> bool:
    """Whether this is the number of a prescriber in the USA, with its check digit."""
    digits = [int(c) for c in cell[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


_VIN_VALUES = {
    c: int(v) for c, v in zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True)
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_CHECK = 8


def is_vin(cell: str) -> bool:
    """Whether this is the number of a vehicle with the check digit of ISO 3779 in North America."""
    text = cell.upper()
    if text.isdigit():
        return False
    values = (_VIN_VALUES.get(c) or int(c) if c.isdigit() or c in _VIN_VALUES else 0 for c in text)
    rest = sum(v * w for v, w in zip(values, _VIN_WEIGHTS, strict=True)) % 11
    return text[_VIN_CHECK] == ("X" if rest == 10 else str(rest))  # noqa: PLR2004 - a ten is an X


def is_phone(cell: str) -> bool:
    """Whether this has as many digits as telephone numbers have."""
    return sum(c.isdigit() for c in cell) in _PHONE_DIGITS


@lru_cache(maxsize=128)
def stdnum_check(module: str) -> Callable[[str], bool]:
    """The check of a module of python-stdnum: `pl.pesel`.

    Args:
        module: one that our library names.
    """
    validate = import_module(f"stdnum.{module}").validate

    def holds(cell: str) -> bool:
        try:
            validate(cell)
        except (ValidationError, ValueError, IndexError):
            return False
        return True

    return holds


_OWN: dict[str, Callable[[str], bool]] = {
    "luhn": is_luhn,
    "card": is_card,
    "ip_address": is_ip_address,
    "iban": is_iban,
    "imei": is_imei,
    "npi": is_npi,
    "dea": is_dea,
    "vin": is_vin,
    "phone": is_phone,
    "full_name": people.is_full_name,
    "rare_full_name": people.may_be_full_name,
    "given_name": people.is_given_name,
    "family_name": people.is_family_name,
    "east_asian_name": people.is_east_asian_name,
    "address": people.is_address,
}
_STDNUM = "stdnum."


def find_check(name: str) -> Callable[[str], bool] | None:
    """The check that a rule names; None if it names none."""
    if name.startswith(_STDNUM):
        return stdnum_check(name.removeprefix(_STDNUM))
    return _OWN.get(name)


def is_check(name: str) -> bool:
    """Whether a rule may name this."""
    return not name or name in _OWN or name in NATIONAL_CHECKS


NATIONAL_CHECKS: dict[str, str] = {
    f"stdnum.{module}": pattern
    for module, pattern in (
        ("ar.cuit", r"\d{2}-?\d{8}-?\d"),
        ("at.vnr", r"\d{4} ?\d{6}"),
        ("au.tfn", r"\d{3}[ -]?\d{3}[ -]?\d{3}"),
        ("be.nn", r"\d{2}[.]?\d{2}[.]?\d{2}-?\d{3}[.]?\d{2}"),
        ("bg.egn", r"\d{10}"),
        ("br.cpf", r"\d{3}[.]?\d{3}[.]?\d{3}-?\d{2}"),
        ("ca.sin", r"\d{3}[ -]?\d{3}[ -]?\d{3}"),
        ("ch.ssn", r"756[.]?\d{4}[.]?\d{4}[.]?\d{2}"),
        ("cl.rut", r"\d{1,2}[.]?\d{3}[.]?\d{3}-?[\dkK]"),
        ("cn.ric", r"\d{17}[\dXx]"),
        ("co.nit", r"\d{3}[.]?\d{3}[.]?\d{3}-\d"),
        ("cz.rc", r"\d{6}/?\d{3,4}"),
        ("de.idnr", r"\d{2} ?\d{3} ?\d{3} ?\d{3}"),
        ("dk.cpr", r"\d{6}-\d{4}"),
        ("do.cedula", r"\d{3}-?\d{7}-?\d"),
        ("ec.ci", r"\d{10}"),
        ("ee.ik", r"[1-6]\d{10}"),
        ("es.dni", r"\d{8}-?[A-Za-z]"),
        ("es.nie", r"[XYZxyz]-?\d{7}-?[A-Za-z]"),
        ("fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]"),
        ("fr.nir", r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}"),
        ("gb.nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}"),
        ("gr.amka", r"\d{11}"),
        ("hr.oib", r"\d{11}"),
        ("id.nik", r"\d{16}"),
        ("ie.pps", r"\d{7}[A-Wa-w][A-IWa-iw]?"),
        ("il.idnr", r"\d{9}"),
        ("in_.aadhaar", r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}"),
        ("in_.pan", r"[A-Z]{5}\d{4}[A-Z]"),
        ("is_.kennitala", r"\d{6}-?\d{4}"),
        ("it.codicefiscale", r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]"),
        ("kr.rrn", r"\d{6}-\d{7}"),
        ("lt.asmens", r"[1-6]\d{10}"),
        ("mx.curp", r"[A-Z]{4}\d{6}[A-Z]{6}[0-9A-Z]\d"),
        ("my.nric", r"\d{6}-\d{2}-\d{4}"),
        ("nl.bsn", r"\d{9}"),
        ("no.fodselsnummer", r"\d{6} ?\d{5}"),
        ("nz.ird", r"\d{2,3}-\d{3}-\d{3}"),
        ("pk.cnic", r"\d{5}-\d{7}-\d"),
        ("pl.pesel", r"\d{11}"),
        ("pt.cc", r"\d{8} ?\d ?[A-Z\d]{2}\d"),
        ("ro.cnp", r"[1-9]\d{12}"),
        ("ru.inn", r"\d{12}"),
        ("se.personnummer", r"(?:\d{2})?\d{6}[-+]\d{4}"),
        ("si.emso", r"\d{13}"),
        ("sk.rc", r"\d{6}/\d{3,4}"),
        ("th.pin", r"\d-?\d{4}-?\d{5}-?\d{2}-?\d"),
        ("tr.tckimlik", r"[1-9]\d{10}"),
        ("us.itin", r"9\d{2}-[5-9]\d-\d{4}"),
        ("za.idnr", r"\d{13}"),
    )
}
"""Numbers of national and tax registers of people, each with its pattern."""
