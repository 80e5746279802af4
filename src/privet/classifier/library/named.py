"""Rules by the name of a column, in the words that `names` makes of it: `_patient_phone_num_`.

A name means what it ends with: `email_type` and `phone_verified_at` are no e-mail and no phone. In
languages that say it the other way round (`correo_cliente`) whose it is may come last.
"""

from __future__ import annotations

from privet.classifier.library import tags
from privet.model.datasets import Rule, RuleTarget
from privet.model.names import TagName

_WHOSE = r"(?:_(?:person|patient|user|emergency|home|work|office|business))*"
_PART = r"(?:_(?:num|id|code))*"
_DATE = r"(?:_(?:date|day|time|at|on))"
_END = "_$"
_MAY_SHOW = 0.5
"""Half of the cells may be anything: names are strong evidence, and data is dirty."""


def _rule(name: str, tag: TagName, pattern: str, guard: str, match_rate: float = _MAY_SHOW) -> Rule:
    return Rule(
        name=f"builtin_{name}_name",
        tag=tag,
        pattern=pattern,
        targets=frozenset({RuleTarget.COLUMN_NAME}),
        match_rate=match_rate,
        check=guard,
        builtin=True,
        description=f"columns whose names say {tag}, and whose cells do not deny it",
    )


NAME_RULES: tuple[Rule, ...] = (
    _rule(
        "email",
        tags.EMAIL,
        rf"_email(?:_(?:address|id))?{_WHOSE}{_END}|_address_email{_END}",
        "like_email",
    ),
    _rule(
        "phone",
        tags.PHONE,
        rf"_(?:phone|fax|mobile|cell)(?:_(?:phone|mobile|num))*{_WHOSE}{_END}"
        rf"|_num_(?:phone|fax|mobile|cell){_WHOSE}{_END}",
        "like_phone",
    ),
    _rule(
        "contact_number",
        tags.PHONE,
        r"_(?:person|emergency|work|home|office|daytime|evening)_num_$",
        "like_phone",
        0.8,
    ),
    _rule(
        "credit_card",
        tags.CARD,
        rf"_(?:credit|debit|payment|bank)_card(?:_(?:num|pan))?{_WHOSE}{_END}"
        rf"|_credit_card(?:_num)?{_WHOSE}{_END}|_num_(?:credit|debit)_card_|_card_credit_$",
        "like_card",
    ),
    _rule(
        "card_number",
        tags.CARD,
        rf"^{_WHOSE}_card_(?:num|pan){_WHOSE}{_END}|^_num_card_$|_cc_(?:num|pan)_$|^_pan_$",
        "like_payment_card",
    ),
    _rule(
        "card_security_code",
        tags.CARD_CODE,
        r"_cvv(?:_(?:num|code|value))?_$|_(?:card|cc)_(?:verification|security)_(?:code"
        r"|value|num)_$",
        "like_cvv",
    ),
    _rule(
        "card_expiry",
        tags.CARD_EXPIRY,
        r"_(?:card|cc)_expiry(?:_(?:date|month|year|mm|yy|yyyy))*_$|_expiry(?:_date)?_card_$",
        "like_expiry",
    ),
    _rule(
        "ssn",
        tags.SSN,
        rf"_ssn(?:_last|_num)*{_WHOSE}{_END}|_social_(?:security|sec)(?:_(?:num|id))?_$",
        "like_ssn",
    ),
    _rule(
        "national_id",
        tags.NATIONAL,
        rf"_national(?:_(?:num|id|card|code|identity))*{_WHOSE}{_END}"
        rf"|_num_national{_WHOSE}{_END}|^{_WHOSE}(?:_num)?_identification(?:_num)?{_WHOSE}{_END}"
        rf"|_(?:tax|taxpayer|tax_person|fiscal|steuer)_(?:id|num)(?:_num)?{_WHOSE}{_END}|_(?:code"
        r"|num)_fiscal[e]?_"
        r"|_(?:identity|citizen|id|identidad|identite|identita)_(?:card|document"
        r"|doc)(?:_num)?_$|_card_id(?:entity|entidad|entite|entita)?_$"
        r"|_(?:citizen|resident|identity|government|govt)_(?:num|id)_$|_(?:social"
        r"|national)_(?:insurance|health)_num_$"
        r"|_num_(?:securite|seguridad|insurance|identity|identite)(?:_social[e]?)?_$"
        r"|_fiscal_(?:code|num|id)_$",
        "like_code",
    ),
    _rule(
        "passport", tags.PASSPORT, rf"_passport{_PART}{_WHOSE}{_END}|_num_passport_", "like_code"
    ),
    _rule(
        "driver_license",
        tags.DRIVER,
        rf"_driver_license{_PART}{_WHOSE}{_END}|_(?:drv|driv|dl)_(?:license_)?(?:num"
        rf"|id)_$|_license_driver{_PART}{_END}",
        "like_code",
    ),
    _rule(
        "license_number",
        tags.LICENSE,
        rf"^{_WHOSE}(?:_(?:medical|professional|nursing|state|provider))?_(?:license"
        r"|certificate)_num_$|_(?:medical|professional|nursing|state)_license(?:_(?:num"
        r"|id))?_$|_dea(?:_(?:num|id))?_$|^_num_license_$",
        "like_code",
    ),
    _rule("ip_address", tags.IP, rf"_ip(?:_address)?{_WHOSE}{_END}|_address_ip_$", "like_ip"),
    _rule("mac_address", tags.MAC, r"_mac(?:_address)?_$|_address_mac_$", "like_mac"),
    _rule(
        "device_id",
        tags.DEVICE,
        r"_imei(?:_num|_id)?_$|_device(?:_(?:id|serial|uuid|udid|num|identifier))+_$"
        r"|_serial(?:_num)?(?:_device)?_$|_num_serial_"
        r"|_(?:advertising|hardware|handset|android|ios|sim)_id_$",
        "like_code",
    ),
    _rule(
        "date_of_birth",
        tags.BIRTH,
        rf"_birth{_DATE}?{_WHOSE}{_END}|_(?:date|day)_birth{_WHOSE}{_END}|_born(?:_on|_at)?_$",
        "like_date",
    ),
    _rule(
        "person_name",
        tags.PERSON,
        rf"_(?:first|last|middle|full|maiden|nick|legal|preferred)_name{_WHOSE}{_END}"
        rf"|_name_(?:first|last|middle|full|complete|maiden){_WHOSE}{_END}"
        rf"|_(?:person|patient|user_full|emergency)_(?:full_)?name{_END}|_name_(?:person"
        rf"|patient){_WHOSE}{_END}|_middle_(?:initial|init)_$",
        "like_name",
    ),
    _rule(
        "anyones_name",
        tags.PERSON,
        r"^_(?:name|person|patient|full|display_name|owner_name|user_name|name_user"
        r"|name_display|reviewer|assignee|approver|creator|author|host|prepared_by"
        r"|signed_by)_$|_(?:created|modified|signed|approved|reported|ordered|performed"
        r"|assigned)_(?:by|to)_$",
        "like_anyones_name",
        0.3,
    ),
    _rule(
        "username",
        tags.USER,
        r"_login(?:_(?:name|id|user))?_$|_user_(?:login|name)_$|_(?:screen"
        r"|account)_user_name_$|_name_user_$",
        "like_user",
        0.8,
    ),
    _rule(
        "address",
        tags.ADDRESS,
        r"^(?:_(?:person|patient|user|street|home|house|mail|email|mailing|postal"
        r"|billing|bill_to|shipping|ship|ship_to|delivery|work|office|contact|emergency"
        r"|residence|residential|site|visit|correspondence|employer|invoice|receiver"
        rf"|sender|city))*_address{_WHOSE}(?:_(?:street|house|one|two|first"
        rf"|second))*{_END}"
        rf"|_street(?:_(?:name|address|num|house))*{_WHOSE}{_END}|_(?:street"
        r"|house)_(?:num|no)_$|_house_$|_address_(?:full|complete|street|home"
        rf"|postal){_END}|_(?:home|mailing|billing|shipping|street|postal|residence"
        rf"|delivery)_address{_END}",
        "like_place",
    ),
    _rule(
        "city",
        tags.CITY,
        rf"_city(?:_name)?{_WHOSE}{_END}|_name_city_$|_(?:birth|place)_(?:place|city|birth)_$",
        "like_place",
    ),
    _rule(
        "zip",
        tags.ZIP,
        rf"_(?:zip|postal)(?:_(?:code|num))*{_WHOSE}{_END}|_(?:code|num)_postal{_WHOSE}{_END}",
        "like_zip",
    ),
    _rule(
        "geolocation",
        tags.PLACE,
        r"_(?:latitude|longitude|coordinates|gps)(?:_(?:deg|degrees|position|location"
        r"|wgs|coordinates|latitude|longitude))*_$|_(?:gps|geo)_(?:point|location"
        r"|position|latitude|longitude)_$",
        "like_angle",
        0.8,
    ),
    _rule("iban", tags.IBAN, rf"_iban(?:_(?:num|code))?{_WHOSE}{_END}", "like_code"),
    _rule(
        "bank_account",
        tags.ACCOUNT,
        rf"_(?:bank_)?account_(?:num|iban){_WHOSE}{_END}|_bank_account(?:_(?:num|id))?_$"
        r"|_num_account_|_routing(?:_(?:num|transit|code))*_$|_(?:bank"
        r"|transit)_(?:code_)?num_$",
        "like_code",
    ),
    _rule(
        "license_plate",
        tags.PLATE,
        rf"^{_WHOSE}(?:_(?:vehicle|license|registration|reg|num))*_plate{_PART}{_WHOSE}{_END}"
        r"|_(?:vehicle|registration)_(?:plate|registration)(?:_num)?_$",
        "like_plate",
    ),
    _rule(
        "vin",
        tags.VIN,
        r"_vin(?:_(?:num|code))?_$|_vehicle_(?:id|identification|serial)(?:_num)?_$"
        r"|_chassis_num_$",
        "like_vin",
    ),
    _rule(
        "biometric",
        tags.BIOMETRIC,
        r"_biometric(?:_(?:id|template|data|num|code|signature))*_$|_(?:face|voice|iris"
        r"|retina|finger|palm|gait|vein|hand)_(?:embedding|template|scan|print|vector"
        r"|encoding|data|signature|geometry|image|id|recording|sample)(?:_(?:id|data"
        r"|vector))?_$"
        r"|^(?:_(?:person|patient|user|left|right|thumb|index|finger"
        r"|employee))*_fingerprint(?:_(?:template|data|scan|id|image))?_$",
        "like_file",
    ),
    _rule(
        "photo",
        tags.PHOTO,
        r"^(?:_(?:person|patient|user|profile|passport|id|face|student"
        r"|driver_license))*_photo(?:_(?:url|path|file|data|image|link|id|name|uri"
        r"|blob))*(?:_(?:person|patient|user))?_$"
        r"|_(?:face|facial|profile|person|patient|user|passport|id)_(?:image|img|pic"
        r"|photograph)(?:_(?:url|path|file|data|link|id|uri|blob))*_$",
        "like_file",
    ),
    _rule(
        "url",
        tags.URL,
        rf"_url{_WHOSE}{_END}|_(?:web|home|profile)_(?:site|page|address|link|url)_$",
        "like_url",
    ),
    _rule(
        "medical_record_number",
        tags.MRN,
        rf"_mrn{_PART}{_END}|_medical_(?:record|chart|file){_PART}{_END}|_patient_(?:id"
        r"|num|record_num|identifier|chart_num)_$|_(?:hospital|health_record|medical"
        r"|chart|record_medical|clinic|case_medical)_(?:num|id)_$|_(?:num|id)_patient_$",
        "like_code",
    ),
    _rule(
        "health_plan_number",
        tags.PLAN,
        rf"_beneficiary{_PART}{_END}|_(?:health_)?(?:plan|insurance|payer"
        r"|health)(?:_(?:policy|person|member|card|plan))*_(?:num|id)_$"
        r"|_insurance_person_(?:num|id)_$|_num_insurance_|_(?:health_insurance"
        r"|insurance_policy)_$",
        "like_code",
    ),
    _rule(
        "care_date",
        tags.CARE_DATE,
        rf"_(?:admission|discharge){_DATE}?_$|_(?:death|service|visit|encounter|procedure"
        r"|surgery|appointment|treatment|immunization|vaccination|diagnosis|onset"
        r"|operation|consultation|hospitalization|clinic|exam|specimen"
        rf"|collection){_DATE}{_END}"
        r"|_date_(?:admission|discharge|death|service|visit|encounter|procedure|surgery"
        r"|diagnosis)_$|^_death_$",
        "like_date",
    ),
    _rule(
        "diagnosis",
        tags.DIAGNOSIS,
        r"_diagnosis(?:_(?:code|description|desc|num|name|cd|text|id|cm))*_$|_(?:code"
        r"|description)_diagnosis_",
        "like_file",
    ),
    _rule("npi", tags.NPI, rf"_npi{_PART}{_END}", "like_code"),
    _rule(
        "password",
        tags.PASSWORD,
        rf"_password(?:_(?:digest|salted|bcrypt|sha|md))*{_WHOSE}{_END}|_pass_(?:phrase"
        r"|word)_$",
        "like_password",
    ),
    _rule(
        "secret",
        tags.SECRET,
        r"_secret(?:_(?:key|access_key|token|id))?_$|_(?:api|private|access|secret"
        r"|encryption|signing|master|service_account|aws|ssh|auth)_key(?:_(?:secret"
        r"|pem))?_$|_(?:api_key|access_key|private_key|access_token)_$"
        r"|_(?:access|auth|api|bearer|refresh|session|csrf|jwt|oauth|security|reset"
        r"|login|id|push|device)_token_$|^_(?:jwt|credentials|bearer|session_id"
        r"|connection_string)_$",
        "like_secret",
    ),
)
