"""How mail clients mark history and signatures, language by language: data, no rules."""

from __future__ import annotations

from typing import NamedTuple


class Attribution(NamedTuple):
    """How a mail client says who wrote what it quotes: first word, verb, and it ends with a colon."""

    opening: str
    verb: str


ATTRIBUTIONS = (
    Attribution("On ", "wrote"),
    Attribution("Am ", "schrieb"),
    Attribution("Le ", "a écrit"),
    Attribution("El ", "escribió"),
    Attribution("Em ", "escreveu"),
    Attribution("Il ", "ha scritto"),
    Attribution("Op ", "schreef"),
    Attribution("Op ", "geschreven"),
    Attribution("Den ", "skrev"),
    Attribution("W dniu ", "napisał"),
    Attribution("", "написал"),
    Attribution("", "пишет"),
)

# The header block that Outlook puts above history, unquoted; keyed by what it says in English.
SENDER_LABELS = frozenset(("from", "von", "de", "da", "van", "från", "fra", "od", "от"))
OTHER_LABELS = frozenset(
    (
        *("date", "sent", "to", "cc", "subject"),
        *("datum", "gesendet", "an", "betreff"),
        *("envoyé", "à", "objet"),
        *("fecha", "enviado", "enviado el", "para", "asunto"),
        *("data", "enviada em", "assunto"),
        *("inviato", "a", "oggetto"),
        *("verzonden", "aan", "onderwerp"),
        *("skickat", "till", "ämne", "sendt", "til", "emne"),
        *("wysłano", "do", "temat"),
        *("дата", "отправлено", "кому", "тема"),
    ),
)

# Lines that a telephone or a mail programme adds below the text, compared in lower case.
SENT_FROM = (
    "sent from my ",
    "sent from mail for ",
    "sent from outlook",
    "sent from yahoo mail",
    "get outlook for ",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "enviado desde mi ",
    "enviado do meu ",
    "inviato da ",
    "verstuurd vanaf mijn ",
    "skickat från min ",
    "отправлено с ",  # noqa: RUF001 - Cyrillic
)

# What the clients call the elements they add to HTML.
HISTORY_CLASSES = frozenset(
    ("gmail_attr", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "tutanota_quote", "zmail_extra"),
)
SIGNATURE_CLASSES = frozenset(
    ("gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block"),
)
HISTORY_BELOW_IDS = frozenset(
    ("appendonsend", "divRplyFwdMsg", "x_divRplyFwdMsg", "mail-editor-reference-message-container"),
)
