"""The built-in tags: the eighteen identifiers of HIPAA, and what else is about one person."""

from __future__ import annotations

from privet.model.names import TagName

EMAIL = TagName("pii", "email")
PHONE = TagName("phi", "phone_number")
CARD = TagName("pii", "credit_card")
CARD_CODE = TagName("pii", "card_security_code")
CARD_EXPIRY = TagName("pii", "card_expiry")
SSN = TagName("pii", "ssn")
NATIONAL = TagName("pii", "national_id")
PASSPORT = TagName("pii", "passport")
DRIVER = TagName("pii", "driver_license")
LICENSE = TagName("pii", "license_number")
IP = TagName("pii", "ip_address")
MAC = TagName("pii", "mac_address")
DEVICE = TagName("pii", "device_id")
BIRTH = TagName("pii", "date_of_birth")
PERSON = TagName("pii", "person_name")
USER = TagName("pii", "username")
ADDRESS = TagName("pii", "address")
CITY = TagName("pii", "city")
ZIP = TagName("pii", "zip")
PLACE = TagName("pii", "geolocation")
IBAN = TagName("pii", "iban")
ACCOUNT = TagName("pii", "bank_account")
PLATE = TagName("pii", "license_plate")
VIN = TagName("pii", "vin")
URL = TagName("pii", "url")
BIOMETRIC = TagName("pii", "biometric")
PHOTO = TagName("pii", "photo")
MRN = TagName("phi", "medical_record_number")
PLAN = TagName("phi", "health_plan_number")
CARE_DATE = TagName("phi", "care_date")
DIAGNOSIS = TagName("phi", "diagnosis")
NPI = TagName("phi", "npi")
PASSWORD = TagName("security", "password")
SECRET = TagName("security", "secret")

BUILTIN_TAGS: tuple[tuple[TagName, str], ...] = (
    (EMAIL, "e-mail addresses"),
    (PHONE, "telephone and fax numbers"),
    (CARD, "numbers of payment cards"),
    (CARD_CODE, "security codes of payment cards"),
    (CARD_EXPIRY, "when payment cards expire"),
    (SSN, "social security numbers of the USA"),
    (NATIONAL, "numbers by which a state knows a person: identity, tax, social insurance"),
    (PASSPORT, "numbers of passports"),
    (DRIVER, "numbers of driving licences"),
    (LICENSE, "numbers of professional licences and certificates"),
    (IP, "addresses of devices on the internet"),
    (MAC, "addresses of network cards"),
    (DEVICE, "serial numbers and identifiers of devices"),
    (BIRTH, "dates of birth"),
    (PERSON, "names of people"),
    (USER, "names by which people log in"),
    (ADDRESS, "street addresses"),
    (CITY, "towns and cities"),
    (ZIP, "postal codes"),
    (PLACE, "coordinates of places"),
    (IBAN, "international bank account numbers"),
    (ACCOUNT, "numbers of bank accounts"),
    (PLATE, "licence plates of vehicles"),
    (VIN, "identification numbers of vehicles"),
    (URL, "web addresses"),
    (BIOMETRIC, "fingerprints, voices, faces and the like, also as templates"),
    (PHOTO, "pictures of people"),
    (MRN, "numbers of medical records and patients"),
    (PLAN, "numbers of members of health plans"),
    (CARE_DATE, "dates of care: admission, discharge, visits, death"),
    (DIAGNOSIS, "diagnoses and their codes"),
    (NPI, "numbers of health care providers in the USA"),
    (PASSWORD, "passwords, in clear or hashed"),
    (SECRET, "keys and tokens that open something"),
)
