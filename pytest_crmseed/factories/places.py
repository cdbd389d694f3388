"""Where records are: cities with what belongs to them, and phone numbers that reach nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from pytest_crmseed.factories.streams import BITS, REST, filled

DEFAULT_LOCALE = "en_US"


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a city. In ``phone`` and ``mobile`` each ``#`` stands for a digit."""

    city: str
    state: str
    postal_code: str
    country: str
    phone: str
    mobile: str


@dataclass(frozen=True, slots=True)
class Region:
    """What addresses of a locale are made of; in a street ``#`` stands for the house number."""

    cities: tuple[tuple[Place, ...], ...]
    streets: tuple[str, ...]


def region(locale: str) -> Region:
    """Return the region of a locale; one without its own has that of ``en_US``."""
    regions = _regions()
    return regions.get(locale) or regions[DEFAULT_LOCALE]


@lru_cache
def cities(locale: str) -> tuple[str, ...]:
    """Return the names of the cities of a locale."""
    return tuple(places[0].city for places in region(locale).cities)


@lru_cache
def streets(locale: str) -> tuple[str, ...]:
    """Return streets with house numbers in a locale."""
    return tuple(
        street.replace("#", str(house)) for street in region(locale).streets for house in range(1, 181)
    )


@lru_cache
def part_of_place(locale: str, part: str) -> Callable[[object, int], str | None]:
    """Return the function that gives an attribute of a :class:`Place` in a city, None in an unknown one.

    It takes the city's name, and the number of the stream by which the city was drawn.
    """
    count = len(cities(locale))
    parts: dict[str, tuple[str, ...]] = {
        city: tuple(getattr(place, part) for place in places) for city, places in _by_city(locale).items()
    }
    agreed = {city: values[0] for city, values in parts.items() if len(set(values)) == 1}

    def value(city: object, number: int) -> str | None:
        if not isinstance(city, str):
            return None
        if city in agreed:
            return agreed[city]
        values = parts.get(city)
        return values[(number * count & REST) * len(values) >> BITS] if values else None

    return value


@lru_cache
def phone_in(locale: str, kind: str) -> Callable[[object, int], str]:
    """Return the function that gives a number which nobody has; ``kind`` as in :class:`Place`.

    It takes a city's name and the number of a stream. What it gives is of the city, if that is known.
    """
    names, count = cities(locale), len(cities(locale))
    templates: dict[str, str] = {city: getattr(places[0], kind) for city, places in _by_city(locale).items()}

    @cache
    def parts(city: str) -> tuple[str, tuple[str, ...]]:
        return filled(templates[city])

    def value(city: object, number: int) -> str:
        scaled = number * count
        known = isinstance(city, str) and city in templates
        start, ends = parts(city if known else names[scaled >> BITS])
        return start + ends[(scaled & REST) * len(ends) >> BITS]

    return value


def _by_city(locale: str) -> dict[str, tuple[Place, ...]]:
    # Cities of all regions, since an override may name any; the locale's own go first.
    regions = (*_regions().values(), region(locale))
    return {places[0].city: places for known in regions for places in known.cities}


# -- the tables ----------------------------------------------------------------------------------
# Numbers for fiction. North America: 555-0100 to 555-0199 in every area code (ATIS-0300115).
_NORTH_AMERICAN = "+1 {} 555 01##"
# United Kingdom: Ofcom, "Telephone numbers for use in TV and radio drama programmes".
_BRITISH_MOBILE = "+44 7700 900###"
# Germany: Bundesnetzagentur, Mitteilung 148/2021 ("Drama Numbers").
_GERMAN_MOBILE = "+49 171 39200##"
# France: Arcep, plan national de numérotation, numbers for audiovisual works.
_FRENCH_MOBILE = "+33 6 39 98 ## ##"

# City, state, postal codes, area code.
_UNITED_STATES = """
Albuquerque|New Mexico|87102 87106|505
Atlanta|Georgia|30303 30308|404
Austin|Texas|78701 78704|512
Boston|Massachusetts|02110 02116|617
Charlotte|North Carolina|28202 28203|704
Chicago|Illinois|60601 60611|312
Cleveland|Ohio|44114 44115|216
Columbus|Ohio|43215 43201|614
Dallas|Texas|75201 75204|214
Denver|Colorado|80202 80205|303
Houston|Texas|77002 77006|713
Indianapolis|Indiana|46204 46202|317
Jacksonville|Florida|32202 32204|904
Las Vegas|Nevada|89101 89104|702
Los Angeles|California|90012 90015|213
Miami|Florida|33130 33131|305
Milwaukee|Wisconsin|53202 53204|414
Minneapolis|Minnesota|55401 55403|612
Nashville|Tennessee|37203 37206|615
New York|New York|10001 10011|212
Philadelphia|Pennsylvania|19103 19106|215
Phoenix|Arizona|85004 85006|602
Pittsburgh|Pennsylvania|15222 15203|412
Portland|Oregon|97204 97209|503
Salt Lake City|Utah|84101 84102|801
San Antonio|Texas|78205 78204|210
San Diego|California|92101 92103|619
Seattle|Washington|98101 98109|206
"""

# City, county, postcodes, number.
_UNITED_KINGDOM = """
Birmingham|West Midlands|B2 4QA,B3 2BB|121 496 0###
Bristol|Bristol|BS1 4DJ,BS8 1TH|117 496 0###
Edinburgh|City of Edinburgh|EH1 1YZ,EH3 9BA|131 496 0###
Glasgow|Glasgow City|G2 1DU,G3 8EP|141 496 0###
Leeds|West Yorkshire|LS1 5DL,LS2 7EW|113 496 0###
Leicester|Leicestershire|LE1 5YA,LE2 0QB|116 496 0###
Liverpool|Merseyside|L1 8JQ,L3 9SJ|151 496 0###
London|Greater London|EC2V 7HH,SE1 9SG,N1 9AG|20 7946 0###
Manchester|Greater Manchester|M2 5DB,M4 1HQ|161 496 0###
Nottingham|Nottinghamshire|NG1 2GJ,NG1 5DT|115 496 0###
Reading|Berkshire|RG1 1AZ,RG1 8EQ|118 496 0###
Sheffield|South Yorkshire|S1 2GA,S3 8NT|114 496 0###
"""

# City, state, postal codes, number. These five area codes are the ones with numbers for fiction.
_GERMANY = """
Berlin|Berlin|10115 10785 12043 13353|30 23125###
Frankfurt am Main|Hessen|60311 60594 60486|69 90009###
Hamburg|Hamburg|20095 20457 22767|40 66969###
Köln|Nordrhein-Westfalen|50667 50823 51063|221 4710###
München|Bayern|80331 80802 81667|89 99998###
"""

# City, region, postal codes, number.
_FRANCE = """
Bordeaux|Nouvelle-Aquitaine|33000 33300|5 36 49 ## ##
Lille|Hauts-de-France|59000 59800|3 53 01 ## ##
Lyon|Auvergne-Rhône-Alpes|69002 69007|4 65 71 ## ##
Marseille|Provence-Alpes-Côte d'Azur|13001 13006|4 65 71 ## ##
Montpellier|Occitanie|34000 34070|4 65 71 ## ##
Nantes|Pays de la Loire|44000 44200|2 61 91 ## ##
Nice|Provence-Alpes-Côte d'Azur|06000 06300|4 65 71 ## ##
Paris|Île-de-France|75002 75009 75011|1 99 00 ## ##
Rennes|Bretagne|35000 35200|2 61 91 ## ##
Strasbourg|Grand Est|67000 67200|3 53 01 ## ##
Toulouse|Occitanie|31000 31400|5 36 49 ## ##
"""

# City, prefecture, postal codes. Japan keeps no numbers for fiction: North America's serve.
_JAPAN = """
京都市下京区|京都府|600-8008|212
仙台市青葉区|宮城県|980-0021|213
千代田区|東京都|100-0005 101-0021|312
名古屋市中区|愛知県|460-0008|404
大阪市北区|大阪府|530-0001|412
広島市中区|広島県|730-0011|503
新宿区|東京都|160-0022 160-0023|512
札幌市中央区|北海道|060-0001|602
横浜市西区|神奈川県|220-0011|614
渋谷区|東京都|150-0002 150-0043|615
神戸市中央区|兵庫県|650-0021|617
福岡市博多区|福岡県|812-0011|702
"""

_STREETS = {
    "en_US": (
        "# Cedar Street, # Elm Street, # Hickory Lane, # Juniper Drive, # Lake Avenue, # Main Street, "
        "# Maple Avenue, # Market Street, # Mill Road, # Oak Street, # Park Avenue, # Pine Street, "
        "# Ridge Road, # River Road, # Spruce Street, # Walnut Street"
    ),
    "en_GB": (
        "# Albert Road, # Castle Street, # Chapel Lane, # Church Road, # George Street, # High Street, "
        "# Kings Road, # Manor Road, # Mill Lane, # Park Road, # Queen Street, # Station Road, "
        "# Victoria Road, # Wharf Street"
    ),
    "de_DE": (
        "Ahornweg #, Bahnhofstraße #, Birkenweg #, Gartenstraße #, Goethestraße #, Hauptstraße #, "
        "Industriestraße #, Kirchstraße #, Lindenstraße #, Mozartstraße #, Ringstraße #, Rosenweg #, "
        "Schillerstraße #, Schulstraße #"
    ),
    "fr_FR": (
        "# avenue de la Gare, # avenue Jean Jaurès, # boulevard Voltaire, # place de la Mairie, "
        "# rue de l'Église, # rue de la Paix, # rue de la République, # rue des Écoles, # rue des Lilas, "
        "# rue du Moulin, # rue Gambetta, # rue Pasteur, # rue Victor Hugo"
    ),
    "ja_JP": "1丁目#番, 2丁目#番, 3丁目#番, 4丁目#番, 5丁目#番",
}


@lru_cache
def _regions() -> Mapping[str, Region]:
    tables = {
        "en_US": _region("en_US", "United States", _UNITED_STATES, _NORTH_AMERICAN),
        "en_GB": _region("en_GB", "United Kingdom", _UNITED_KINGDOM, "+44 {}", _BRITISH_MOBILE),
        "de_DE": _region("de_DE", "Germany", _GERMANY, "+49 {}", _GERMAN_MOBILE),
        "fr_FR": _region("fr_FR", "France", _FRANCE, "+33 {}", _FRENCH_MOBILE),
        "ja_JP": _region("ja_JP", "Japan", _JAPAN, _NORTH_AMERICAN),
    }
    return tables | {"en": tables["en_US"], "de": tables["de_DE"]}


def _region(locale: str, country: str, table: str, phone: str, mobile: str = "") -> Region:
    cities = []
    for line in table.strip().splitlines():
        name, state, codes, number = line.split("|")
        own = phone.format(number)
        # British postcodes have a space in them.
        split_codes = codes.split("," if "," in codes else None)
        cities.append(tuple(Place(name, state, code, country, own, mobile or own) for code in split_codes))
    return Region(tuple(cities), tuple(_STREETS[locale].split(", ")))
