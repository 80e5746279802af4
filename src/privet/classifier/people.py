"""Whether a cell is somebody's name or somebody's address."""

from __future__ import annotations

import re
from functools import lru_cache

from privet.classifier.dictionaries import dictionaries, fold_word

_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile(r"[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7a3]+")
_LONGEST_NAME = 64
_FULL = range(2, 7)
"""Words of a full name."""
_USUAL = range(2, 5)
_SINGLE = range(1, 3)
"""Words of a first or of a last name."""
_EAST_ASIAN_LENGTH = range(2, 6)
_LONG_WORD = 6
_TITLES = frozenset(
    "mr mrs ms miss mx dr prof sir dame herr frau fr hr dipl ing med phil mme mlle sr sra srta don"
    " dona sig dott dra jr ii iii iv phd md dds dvm cpa rev hon mag bsc msc ba ma bc van von"
    " der den"
    " de del della di da do dos das la le el al bin ibn ben y e i und et ter ten vd dd".split()
)
_COMPANY = frozenset(
    "inc llc ltd limited gmbh mbh ag kg kgaa ohg ug ev corp corporation company co plc group"
    " holding"
    " holdings sa sarl sas srl spa bv nv oy oyj ab as aps asa sp oo zoo ooo zao pao ltda"
    " eireli cia"
    " sons partners associates bros brothers and und fils groupe societe services solutions"
    " systems"
    " technologies technology consulting bank insurance university college school hospital clinic"
    " institute foundation trust department ministry airlines hotel restaurant store shop kft zrt"
    " sro dd doo aso as ltdsti corporacion grupo industrias despacho asociados proyectos".split()
)


def is_full_name(cell: str) -> bool:
    """Whether these are two to six words, half of them known names, one of them a given name."""
    words = _name_words(cell)
    if len(words) not in _FULL:
        return False
    known = dictionaries()
    given = sum(word in known.given for word in words)
    both = sum(word in known.given or word in known.family for word in words)
    return bool(given) and both * 2 >= len(words)


def may_be_full_name(cell: str) -> bool:
    """Whether these are two to four words, each with a capital, one of them a known name."""
    words = _name_words(cell)
    if len(words) not in _USUAL or not all(w[:1].isupper() for w in _WORD.findall(cell)):
        return False
    known = dictionaries()
    return any(word in known.given or word in known.family for word in words)


def is_given_name(cell: str) -> bool:
    """Whether this is one known given name, perhaps a double one, and no city."""
    words = _name_words(cell)
    known = dictionaries()
    return (
        len(words) in _SINGLE
        and " " not in cell.strip()
        and all(word in known.given for word in words)
    )


def is_family_name(cell: str) -> bool:
    """Whether this is one known family name, perhaps a double one."""
    words = _name_words(cell)
    return len(words) in _SINGLE and all(word in dictionaries().family for word in words)


def is_east_asian_name(cell: str) -> bool:
    """Whether this is a Chinese, Japanese or Korean name: a known family name, then more."""
    parts = _HAN.findall(cell)
    text = "".join(parts)
    if len(text) not in _EAST_ASIAN_LENGTH or len(text) < len(cell.strip()) - 1:
        return False
    known = dictionaries().family
    if len(parts) > 1:
        return fold_word(parts[0]) in known
    return any(fold_word(text[:size]) in known for size in (2, 1, 3) if size < len(text))


def is_anyones_name(cell: str) -> bool:
    """Whether any of these holds; for columns whose names say that they may be people's."""
    return (
        is_full_name(cell)
        or is_given_name(cell)
        or is_family_name(cell)
        or is_east_asian_name(cell)
    )


def is_city(cell: str) -> bool:
    """Whether this is the name of a known city."""
    return fold_word(cell).strip() in dictionaries().cities


def words_of(cell: str) -> tuple[str, ...]:
    """The folded words of what may be a name, without titles; nothing if it is none."""
    return _name_words(cell)


def is_company(cell: str) -> bool:
    """Whether a word of this is one that companies bear."""
    return "&" in cell or any(word in _COMPANY for word in _WORD.findall(fold_word(cell)))


@lru_cache(maxsize=4096)
def _name_words(cell: str) -> tuple[str, ...]:
    """The folded words of what may be a name, without titles; nothing if it is none."""
    if len(cell) > _LONGEST_NAME or any(c.isdigit() or c in "@:/\\_=<>{}[]|&+*%$#!?" for c in cell):
        return ()
    words = _WORD.findall(fold_word(cell))
    if not words or any(word in _COMPANY for word in words):
        return ()
    return tuple(word for word in words if len(word) > 1 and word not in _TITLES)


# ---- addresses

_STREETS = frozenset(
    "street avenue road boulevard lane drive court place square terrace crescent highway parkway"
    " circle trail close grove gardens rue allee chemin impasse quai route avda avenida"
    " calle camino"
    " carrer paseo plaza carretera callejon vicolo viale piazza corso strada largo rua travessa"
    " praca estrada alameda ulica ulice aleja plac utca ulitsa улица проспект переулок"
    " вулиця бульвар"
    " jalan jl gang strasse str gasse platz weg ring damm ufer chaussee straat laan plein"
    " kade gracht"
    " steenweg gatan vagen grand allen vej gade alle plads veien gata vei katu tie kuja"
    " polku cadde"
    " caddesi sokak sokagi mahallesi bulvari strada bulevardul calea aleea namesti trida nabrezi"
    " psc barrio colonia fraccionamiento apt apartment suite unit floor flat wohnung piso"
    " appartement"
    " po box postfach apartado blk block lot marg nagar chowk".split()
)
_SHORT_STREETS = frozenset(
    "st ave av rd blvd ln dr ct pl sq hwy pkwy ul al via cl cra km bp ул пр пер алл ш бул".split()
)
_ENDINGS = (
    "strasse",
    "straße",
    "str",
    "straat",
    "weg",
    "gasse",
    "platz",
    "allee",
    "laan",
    "plein",
    "gatan",
    "vagen",
    "gata",
    "vej",
    "gade",
    "veien",
    "vegen",
    "katu",
    "kuja",
    "polku",
    "gracht",
    "kade",
    "ring",
    "damm",
    "ufer",
    "vei",
    "dreef",
    "singel",
    "hof",
)
_POSTAL = re.compile(
    r"(?<![\w.])(?:[A-Z]{1,2}-)?(?:\d{4,8}(?:-\d{3,4})?|\d{3} \d{2}"
    r"|\d{2}[- ]\d{3}|\d{3}[- ]\d{3,4})(?![\w.])"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b"
)
_HOUSE = re.compile(r"(?<![\w.])\d{1,5} ?[A-Za-z]?(?:[/-]\d{1,4}[A-Za-z]?)?(?![\w.]\d)")
_PARTS = re.compile(r"[,;\n|]")
_FEWEST_WORDS = 2
_EAST_ASIAN = re.compile(
    r"[\u4e00-\u9fff](?:省|市|区|县|郡|町|村|路|街|丁目|番)[\u4e00-\u9fff\u3040-\u30ffA-Za-z]*\s?\d"
    r"|[\uac00-\ud7a3](?:시|도|구|로|길|동)\s?.*\d"
)
_LONGEST_ADDRESS = 250


def is_address(cell: str) -> bool:
    """Whether this has a street with a number, or lines with a number and with a postal code."""
    if not len(cell) <= _LONGEST_ADDRESS or "@" in cell or "://" in cell:
        return False
    if not any(c.isdigit() for c in cell) or not any(c.isspace() or not c.isascii() for c in cell):
        return False
    if _EAST_ASIAN.search(cell):
        return True
    parts = [part for part in _PARTS.split(cell) if part.strip()]
    if any(_names_street(part) for part in parts):
        return True
    return len(parts) > 1 and _has_postal_code_and_house(cell)


def _has_postal_code_and_house(cell: str) -> bool:
    codes = tuple(_POSTAL.finditer(cell))
    if not codes:
        return False
    code = codes[-1]
    rest = f"{cell[: code.start()]} {cell[code.end() :]}"
    words = [word for word in _WORD.findall(rest) if len(word) > 1]
    return bool(_HOUSE.search(rest)) and len(words) >= _FEWEST_WORDS


def _names_street(line: str) -> bool:
    words = _WORD.findall(fold_word(line))
    if not words:
        return False
    if any(word in _STREETS or word in dictionaries().streets for word in words):
        return True
    return any(word.endswith(_ENDINGS) and len(word) >= _LONG_WORD for word in words) or any(
        word in _SHORT_STREETS for word in (words[0], words[-1])
    )
