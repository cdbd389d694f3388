"""The currencies of a company (``GET /v1/currencies``): a choice of those that Pipedrive lists."""

from __future__ import annotations

from typing import Any

_ALL = (
    ("EUR", "Euro", 2, "€"),
    ("USD", "US Dollar", 2, "$"),
    ("GBP", "British Pound", 2, "£"),
    ("AUD", "Australian Dollar", 2, "A$"),
    ("BRL", "Brazilian Real", 2, "R$"),
    ("CAD", "Canadian Dollar", 2, "CA$"),
    ("CHF", "Swiss Franc", 2, "CHF"),
    ("CNY", "Chinese Yuan", 2, "CN¥"),
    ("CZK", "Czech Koruna", 2, "Kč"),
    ("DKK", "Danish Krone", 2, "kr"),
    ("HKD", "Hong Kong Dollar", 2, "HK$"),
    ("HUF", "Hungarian Forint", 0, "Ft"),
    ("ILS", "Israeli Shekel", 2, "₪"),
    ("INR", "Indian Rupee", 2, "₹"),
    ("JPY", "Japanese Yen", 0, "¥"),
    ("KRW", "South Korean Won", 0, "₩"),
    ("MXN", "Mexican Peso", 2, "MX$"),
    ("NOK", "Norwegian Krone", 2, "kr"),
    ("NZD", "New Zealand Dollar", 2, "NZ$"),
    ("PLN", "Polish Zloty", 2, "zł"),
    ("RON", "Romanian Leu", 2, "lei"),
    ("SEK", "Swedish Krona", 2, "kr"),
    ("SGD", "Singapore Dollar", 2, "S$"),
    ("TRY", "Turkish Lira", 2, "₺"),
    ("ZAR", "South African Rand", 2, "R"),
)

CURRENCIES: dict[str, dict[str, Any]] = {
    code: {
        "id": number,
        "code": code,
        "name": name,
        "decimal_points": decimals,
        "symbol": symbol,
        "active_flag": True,
        "is_custom_flag": False,
    }
    for number, (code, name, decimals, symbol) in enumerate(_ALL, start=1)
}
