"""A second labelled set, written by hand after the rules: other names, other data, no Faker.

Each line is the name of a column, the tags that it deserves, and cells, which are repeated and
varied by counting: `%d` is a running number, `%h` one in hexadecimal.
"""

from __future__ import annotations

from collections.abc import Iterator

from labelled.people import Labelled

_GIVEN = (
    "Ana Bruno Chiara Dmitri Elif Fatima Goran Hannah Ivan Julia Kwame Lucía Mehmet Nora".split()
)
_FAMILY = "Andersen Bianchi Costa Dubois Evans Fischer García Hughes Ivanov Jansen Kowalski".split()

PEOPLE = """
Employee E-mail Addr | pii.email | jo.%d@corp.example; k%d@mail.example
MailKontakt | pii.email | anna%d@firma.example
emailaddress1 | pii.email | a.%d@x.example.org
recipient | pii.email | "Jo D." <jo%d@x.example>; kim%d@y.example
cust_tel_nr | phi.phone_number | 0176 22%d334; 030/4455%d
Handy | phi.phone_number | +49 151 1234%d; 0151 99887%d
num_tel_client | phi.phone_number | 06 12 34 5%d 78; 01 44 55 6%d 77
teléfono móvil | phi.phone_number | 612 34 5%d 78; +34 655 12 %d 99
EmergencyContactPhone | phi.phone_number | (212) 555-0%d; 646.555.1%d
whatsapp_no | phi.phone_number | +91 98765 4%d10; +44 7700 900%d
PtPhone | phi.phone_number | 21255501%d
fax | phi.phone_number | 212-555-77%d
Soc Sec No | pii.ssn | 512-44-12%d; 078-05-11%d
tax_payer_id | pii.national_id | 78-1234%d
Numero de identificacion | pii.national_id | 1234%d67-Z; 8765%d21-X
personnr | pii.national_id | 19811218-98%d
steuer_id | pii.national_id | 6592997048%d
aadhaar_no | pii.national_id | 2345 6789 12%d
passport_no | pii.passport | C01X00T4%d; L8988901%d
DocPassaporto | pii.passport | YA12345%d
DL_Number | pii.driver_license | D123-4567-8%d
fuehrerschein_nr | pii.driver_license | B072RRE2I%d
licensePlateNumber | pii.license_plate | 7ABC%d; 6XYZ%d
kfz_kennzeichen | pii.license_plate | B-MW %d; M-AB %d
chassis_no | pii.vin | WVWZZZ1JZXW0000%d
given_nm | pii.person_name | given
nachname_kunde | pii.person_name | family
patient name | pii.person_name | full
Nombre y apellidos | pii.person_name | full
mother's maiden name | pii.person_name | family
name | pii.person_name | full
account_holder | pii.person_name | full
c12 | pii.person_name | full
reviewer | pii.person_name | full
street_addr_1 | pii.address | %d Elm Street; %d Oak Avenue Apt 4
Strasse_HausNr | pii.address | Lindenweg %d; Am Markt %d
ship_to_address | pii.address | %d High Road, London; %d Station Lane, Leeds
field_9 | pii.address | %d Elm Street; %d Lakeview Drive, Suite 20; %d Pine Road
adres_klanta | pii.address | ul. Polna %d; ul. Leśna %d/4
town | pii.city | Springfield; Leeds; Kraków; Bath; Ulm
PLZ | pii.zip | 101%d; 80%d5
zip_cd | pii.zip | 021%d; 9%d05
ship_zip_code | pii.zip | 10001-12%d
geb_dat | pii.date_of_birth | 14.03.19%d
birthday | pii.date_of_birth | 19%d-03-14
DOB_Patient | pii.date_of_birth | 03/14/19%d
born_on | pii.date_of_birth | 19%d-03-14
fecha_nac | pii.date_of_birth | 14/03/19%d
remote_host_ip | pii.ip_address | 203.0.113.%d; 198.51.100.%d
col_b | pii.ip_address | 203.0.113.%d; 2001:db8::%h
wifi_mac | pii.mac_address | 00:1B:44:11:3A:%h
imei_number | pii.device_id | 49015420323751%d
device uuid | pii.device_id | 8f14e45f-ceea-467f-a9d0-00000000%h
cc_num | pii.credit_card | 4111 1111 1111 1111; 5500 0055 5555 5559; 3782 822463 10005
payment_card_number | pii.credit_card | 4111111111111111; 6011000990139424; 5105105105105100
v | pii.credit_card | 4111-1111-1111-1111; 5105105105105100; 4012888888881881; 378282246310005
cvc | pii.card_security_code | 1%d
cardExpiry | pii.card_expiry | 04/%d
bank_acct_no | pii.bank_account | 000123456%d
Kontonr | pii.bank_account | 53201300%d
routing_number | pii.bank_account | 0210000%d
iban_client | pii.iban | DE89370400440532013000; GB29NWBK60161331926819; FR1420041010050500013M02606
z | pii.iban | DE89 3704 0044 0532 0130 00; GB29 NWBK 6016 1331 9268 19; NL91ABNA0417164300
latitude | pii.geolocation | 52.5%d; -33.8%d
GPS coordinates | pii.geolocation | 52.51%d, 13.40%d
personal_website | pii.url | https://p%d.example.org/me
link | pii.url | https://example.org/u/%d
login_name | pii.username | jdoe%d; asmith%d
iris_template | pii.biometric | AQIDBAUG%h
finger_print_data | pii.biometric | 0a1b2c%h
profile_photo_url | pii.photo | https://img.example/%d.jpg
passport photo | pii.photo | s3://faces/%d.png
medical_rec_num | phi.medical_record_number | 00123%d; 00987%d
PatientID | phi.medical_record_number | P-10%d
hospital no | phi.medical_record_number | H00%d
insurance_member_id | phi.health_plan_number | XQH1234%d
medicare_no | phi.health_plan_number | 1EG4TE5MK%d
date_of_admission | phi.care_date | 20%d-05-14
discharge_dt | phi.care_date | 05/14/20%d
visitDate | phi.care_date | 20%d-05-14
icd_code | phi.diagnosis | E11.%d; I10; J45.%d
dx_1 | phi.diagnosis | E11.%d; K21.%d
provider_npi | phi.npi | 12345678%d
pass_word | security.password | hunter%d!; Pa55w0rd%d
pwd_hash | security.password | 5f4dcc3b5aa765d61d8327de%h
secret_key | security.secret | wJalrXUtnFEMI/K7MDENG/bPx%h
config_value | security.secret | postgres://app:s3cret%d@db.example/app; mysql://u:p%d@h.example/d
refreshToken | security.secret | 1//0gdfE%hAbCdEfGhIj
""".strip()

ORDINARY = """
order_ref | SO-2023-%d; SO-2022-%d
invoice | INV%d; CRN%d
PO Number | 45000%d
tracking_no | 1Z999AA1012345%d
upc | 03600029145%d
isbn_10 | 0-306-40615-%d
cas_number | 50-00-%d
qty | %d
unit cost | 12.%d; 99.%d
discount_pct | 0.%d
created | 20%d-05-14 10:00:00
last_email_opened_at | 20%d-05-14T10:00:00Z
phone_os | iOS 17.%d; Android 14
mobile_app_version | 4.12.%d
email_subject | Your order %d has shipped
email_template_id | tmpl_%d
address_verified | true; false
name_of_product | Oak Table %d; Pine Chair %d
ProductName | Trail Shoe %d; Road Bike %d
brand_name | Acme; Globex; Initech; Umbrella
company name | Acme %d Inc; Globex %d LLC
department_name | Finance; Legal; Sales
street_type | Avenue; Road; Lane
card_network | Visa; Mastercard
card_last_used | 20%d-05-14
passport_required | Y; N
license_type | MIT; Apache-2.0; GPL-3.0
software_license_key_count | %d
ip_version | 4; 6
mac_model | MacBook Pro %d
device_type | phone; tablet
device_count | %d
latency | 12.%d
longest_streak | %d
url_depth | %d
web_server | nginx/1.%d; Apache/2.%d
username_length | %d
photo_format | jpg; png
fingerprint_algorithm | SHA256; MD5
record_count | %d
patient_age_group | 18-25; 26-35; 36-45
diagnosis_count | %d
procedure_cost | 120.%d
plan_name | Gold; Silver; Bronze
insurance_type | HMO; PPO
token_type | bearer; mac
api_key_rotated_at | 20%d-05-14
session_length_s | %d
commit_sha | 9fceb02d0ae598e95dc970b74767f19372d6%h
request_uuid | 123e4567-e89b-12d3-a456-42661417%h
color_hex | #ff00%h
zone_id | Z0%d; Z1%d
region | us-east-%d; eu-west-%d
country | France; Spain; Chad; Georgia; Jordan
state_province | Ohio; Texas; Virginia
currency | EUR; USD
language | German; French
job | Nurse; Software Engineer; Baker
species | Quercus alba; Acer rubrum; Pinus nigra; Felis catus
chemical | Sodium Chloride; Acetic Acid; Boron Nitride
song_title | Yesterday; Hey Jude; Let It Be
team | Red Sox; Blue Jays; Real Madrid
weekday | Montag; Dienstag
status_msg | OK; Not found; Timed out after %d s
stack_trace | at main.py:%d
score | %d
sensor_serial_count | %d
firmware_ver | 1.2.3.%d; 1.2.4.%d
bin_range | 4%d1111
gl_account | 4%d0
cost_center | CC-%d
warehouse_bin | A-%d-B
flight | LH%d; BA%d
gene | BRCA%d; TP53
lab_result | 7.%d
note | Called about order %d, will retry
tags | new, sale; old
birth_weight | 3.%d
birth_country | France; Spain
city_population | %d00
zip_compression | gzip; zstd
post_count | %d
key_size | 2048; 4096
""".strip()


def written(rows: int = 60) -> Iterator[Labelled]:
    """The columns, the same for the same number of rows."""
    for line in PEOPLE.splitlines():
        name, tag, cells = (part.strip() for part in line.split("|", 2))
        yield Labelled(name, _cells(cells, rows), frozenset({tag}), "written")
    for line in ORDINARY.splitlines():
        name, cells = (part.strip() for part in line.split("|", 1))
        yield Labelled(name, _cells(cells, rows), frozenset(), "written")


def _cells(written_as: str, rows: int) -> tuple[object, ...]:
    if written_as in {"given", "family", "full"}:
        return tuple(_name(written_as, at) for at in range(rows))
    forms = [form.strip() for form in written_as.split("; ")]
    return tuple(
        form.replace("%d", f"{10 + at % 80}").replace("%h", f"{16 + at % 80:02x}")
        for at, form in ((at, forms[at % len(forms)]) for at in range(rows))
    )


def _name(which: str, at: int) -> str:
    given, family = _GIVEN[at % len(_GIVEN)], _FAMILY[at % len(_FAMILY)]
    return {"given": given, "family": family}.get(which, f"{given} {family}")
