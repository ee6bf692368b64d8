"""Replies and forwards as mail clients write them, each with a word that is new and a secret that is quoted."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from tests.replies.words import NOTICES, WORDS, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHO = "Ann Lee <ann@acme.example>"
NEW = "Tuesday at noon suits me, marzipan."
SECOND = "The canteen, as ever, nougat."
SECRET = "The safe opens with wolverine, do not tell."
LATER = "And where shall we meet, okapi?"


class Mail(NamedTuple):
    """A message: its bodies and subject, what must remain of it, and what must not."""

    text: str | None
    html: str | None
    subject: str = ""
    kept: tuple[str, ...] = ("marzipan",)
    gone: tuple[str, ...] = ("wolverine", "okapi", "ann@acme.example")


BOTH = ("marzipan", "nougat")
FORWARD = ("marzipan", "wolverine", "okapi")


# What a client writes above the quoted message.


def gmail(words: Words) -> str:
    return words.gmail.format(who=WHO)


def apple(words: Words) -> str:
    return words.apple.format(who=WHO)


def thunderbird(words: Words) -> str:
    return words.thunderbird


def fastmail(words: Words) -> str:
    return "On Mon, Mar 2, 2026, at 10:15 AM, Ann Lee wrote:"


def proton(words: Words) -> str:
    return f"On Monday, March 2nd, 2026 at 10:15 AM, {WHO} wrote:"


def tutanota(words: Words) -> str:
    return "Mar 2, 2026, 10:15 by ann@acme.example:"


def zoho(words: Words) -> str:
    return f"---- On Mon, 02 Mar 2026 10:15:00 +0100 {WHO} wrote ---"


def yahoo(words: Words) -> str:
    return f"On Monday, March 2, 2026 at 10:15:00 AM GMT+1, {WHO} wrote:"


def headers(words: Words) -> list[str]:
    """The four lines of Outlook, and of everybody else who forwards."""
    values = (WHO, "2026-03-02 10:15", "Bo Roth <bo@globex.example>", "Lunch")
    return [f"{label} {value}" for label, value in zip(words.outlook.split("|"), values, strict=True)]


# Text: the quoted lines below an attribution, and where the answer stands.


def text_above(attribution: str, _: Words) -> Mail:
    return Mail(f"{NEW}\n\n{attribution}\n\n> {SECRET}\n>\n> {LATER}\n", None)


def text_above_signed(attribution: str, words: Words) -> Mail:
    text = f"{NEW}\n\n{words.iphone}\n\n> {attribution}\n> \n> {SECRET}\n> {LATER}\n"
    return Mail(text, None, gone=("wolverine", "okapi", words.iphone))


def text_below(attribution: str, _: Words) -> Mail:
    return Mail(f"{attribution}\n> {SECRET}\n> {LATER}\n\n{NEW}\n\n-- \nBo Roth\nGlobex plover\n", None, gone=BELOW)


def text_between(attribution: str, _: Words) -> Mail:
    return Mail(f"{attribution}\n> {SECRET}\n\n{NEW}\n\n> {LATER}\n\n{SECOND}\n", None, kept=BOTH)


def text_wrapped(attribution: str, words: Words) -> Mail:
    """The attribution broken before the address, as Gmail does at 78 columns."""
    return text_above(attribution.replace(" <", " <\n") if len(attribution) > 60 else attribution, words)


BELOW = ("wolverine", "okapi", "ann@acme.example", "plover")


# HTML of the clients that write an attribution.


def gmail_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<div dir="ltr"><div>{NEW}</div></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        f'class="gmail_attr">{attribution}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;'
        f'border-left:1px solid rgb(204,204,204);padding-left:1ex">{quoted}</blockquote>{answer}</div>'
    )


def apple_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<html><body style="overflow-wrap: break-word;">{NEW}<br><div><br><blockquote type="cite"><div>{attribution}'
        f'</div><br class="Apple-interchange-newline"><div>{quoted}</div></blockquote></div>{answer}</body></html>'
    )


def ios_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<html><body dir="auto">{NEW}<br><br><div dir="ltr"><br><blockquote type="cite">{attribution}<br><br>'
        f'</blockquote></div><blockquote type="cite"><div dir="ltr">{quoted}</div></blockquote>{answer}</body></html>'
    )


def thunderbird_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<html><body><p>{NEW}</p><div class="moz-cite-prefix">{attribution}<br></div>'
        f'<blockquote type="cite" cite="mid:1@acme.example">{quoted}</blockquote>{answer}</body></html>'
    )


def yahoo_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<div class="ydp1yahoo-style-wrap"><div dir="ltr">{NEW}</div></div><div id="yahoo_quoted_1" '
        f'class="yahoo_quoted"><div><div>{attribution}</div><div><br></div><div>{quoted}</div></div></div>'
    )


def proton_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<div style="font-family: Arial">{NEW}</div><div class="protonmail_quote">{attribution}<br>'
        f'<blockquote class="protonmail_quote" type="cite">{quoted}</blockquote><br></div>'
    )


def zoho_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<div style="font-family: Verdana"><div>{NEW}</div><br><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">'
        f'{attribution}</div><br><blockquote id="blockquote_zmail">{quoted}</blockquote></div></div>'
    )


def tutanota_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f'<div dir="auto">{NEW}</div><div dir="auto"><br></div><div dir="auto">{attribution}<br></div>'
        f'<blockquote class="tutanota_quote" style="border-left: 1px solid #93A3B8;">{quoted}</blockquote>{answer}'
    )


def fastmail_html(attribution: str, quoted: str, answer: str = "") -> str:
    return (
        f"<div>{NEW}</div><div><br></div><div>{attribution}</div>"
        f'<blockquote type="cite" id="qt"><div>{quoted}</div></blockquote>{answer}'
    )


def unmarked_html(attribution: str, quoted: str, answer: str = "") -> str:
    """Markup whose classes somebody took out."""
    return f"<p>{NEW}</p><p>{attribution}</p><blockquote>{quoted}</blockquote>{answer}"


# HTML and text of the clients that write a block of headers.


def _bold(words: Words) -> str:
    return "<br>".join(
        f"<b>{label}</b> {escape(line.removeprefix(label))}"
        for label, line in zip(words.outlook.split("|"), headers(words), strict=True)
    )


def outlook_desktop(words: Words) -> str:
    return (
        f'<html><body lang="EN-US"><div class="WordSection1"><p class="MsoNormal">{NEW}<o:p></o:p></p><div>'
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal">'
        f'{_bold(words)}<o:p></o:p></p></div></div><p class="MsoNormal">{SECRET}</p><p>{LATER}</p></div></body></html>'
    )


def outlook_web(words: Words) -> str:
    return (
        f'<div class="elementToProof">{NEW}</div><div id="appendonsend"></div><hr style="width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr">{_bold(words)}<div> </div></div><div>{SECRET}</div><div>{LATER}</div>'
    )


def outlook_new(words: Words) -> str:
    return (
        f'<div class="elementToProof">{NEW}</div><div id="mail-editor-reference-message-container"><div '
        f'style="border-top:1pt solid rgb(181,196,223)">{_bold(words)}</div><div>{SECRET}</div><div>{LATER}</div></div>'
    )


def outlook_mobile(words: Words) -> str:
    return (
        f'<div dir="auto">{NEW}</div><div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms/o0ukef">Outlook '
        f'for iOS</a></div><hr><div id="divRplyFwdMsg" dir="ltr">{_bold(words)}</div><div>{SECRET}</div>{LATER}'
    )


def samsung(words: Words) -> str:
    return (
        f'<div dir="auto">{NEW}</div><div><br></div><div style="font-size:100%"><div>-------- {words.original} '
        f"--------</div><div>{'</div><div>'.join(map(escape, headers(words)))}</div></div><div>{SECRET}</div>{LATER}"
    )


def outlook_text(words: Words) -> str:
    return "\n".join((NEW, "", *headers(words), "", SECRET, "", LATER, ""))


def outlook_web_text(words: Words) -> str:
    return "\n".join((NEW, "_" * 32, *headers(words), "", SECRET, LATER, ""))


def outlook_old_text(words: Words) -> str:
    return "\n".join((NEW, "", f"-----{words.original}-----", *headers(words), "", SECRET, LATER, ""))


def samsung_text(words: Words) -> str:
    return "\n".join((NEW, "", f"-------- {words.original} --------", *headers(words), "", SECRET, LATER, ""))


# Forwards.


def gmail_forward(words: Words) -> Mail:
    title = f"---------- {words.forwarded} ---------"
    text = "\n".join((NEW, "", title, *headers(words), "", SECRET, LATER))
    html = (
        f'<div dir="ltr">{NEW}<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{title}<br>'
        f"{'<br>'.join(map(escape, headers(words)))}<br></div><br><div>{SECRET}</div>{LATER}</div></div>"
    )
    return Mail(text, html, "", FORWARD, ())


def apple_forward(words: Words) -> Mail:
    lines = [f"> {line}" for line in (*headers(words), "", SECRET, LATER)]
    html = (
        f'<html><body>{NEW}<br><div><br><blockquote type="cite"><div>{words.begin}</div><br><div>{_bold(words)}</div>'
        f"<br><div>{SECRET}<br>{LATER}</div></blockquote></div></body></html>"
    )
    return Mail("\n".join((NEW, "", words.begin, "", *lines)), html, "", FORWARD, ())


def outlook_forward(words: Words) -> Mail:
    return Mail(outlook_text(words), outlook_desktop(words), "FW: Lunch", FORWARD, ())


def outlook_web_forward(words: Words) -> Mail:
    return Mail(outlook_web_text(words), outlook_web(words), "Fwd: Lunch", FORWARD, ())


# What stands below a text.


def telephone(words: Words) -> Mail:
    html = f'<div dir="auto">{NEW}<br><br><div dir="ltr">{words.iphone}</div></div>'
    return Mail(f"{NEW}\n\n{words.iphone}\n", html, gone=(words.iphone,))


def notice(words: str) -> Mail:
    html = f'<p>{NEW}</p><p style="font-size:8pt;color:gray">{words}</p>'
    return Mail(f"{NEW}\n\n{words}\n", html, gone=(words[10:40],))


def signed(markup: str) -> Mail:
    return Mail(None, f"<div>{NEW}</div>{markup}", gone=("plover",))


ATTRIBUTIONS: dict[str, Callable[[Words], str]] = {"gmail": gmail, "apple": apple, "thunderbird": thunderbird}
ATTRIBUTED_TEXTS: dict[str, Callable[[str, Words], Mail]] = {
    "above": text_above,
    "above, wrapped": text_wrapped,
    "above, from a telephone": text_above_signed,
    "below": text_below,
    "between": text_between,
}
ATTRIBUTED_HTMLS: dict[str, tuple[Callable[[Words], str], Callable[..., str]]] = {
    "gmail": (gmail, gmail_html),
    "apple": (apple, apple_html),
    "ios": (apple, ios_html),
    "thunderbird": (thunderbird, thunderbird_html),
    "gmail without classes": (gmail, unmarked_html),
    "apple without classes": (apple, unmarked_html),
    "thunderbird without classes": (thunderbird, unmarked_html),
}
ENGLISH_HTMLS: dict[str, tuple[Callable[[Words], str], Callable[..., str]]] = {
    "yahoo": (yahoo, yahoo_html),
    "proton": (proton, proton_html),
    "zoho": (zoho, zoho_html),
    "tutanota": (tutanota, tutanota_html),
    "fastmail": (fastmail, fastmail_html),
}
HAS_ANSWER_BELOW = ("gmail", "apple", "ios", "thunderbird", "tutanota", "fastmail")
BLOCK_HTMLS = (outlook_desktop, outlook_web, outlook_new, outlook_mobile, samsung)
BLOCK_TEXTS = (outlook_text, outlook_web_text, outlook_old_text, samsung_text)
FORWARDS = (gmail_forward, apple_forward, outlook_forward, outlook_web_forward)
SIGNATURES = {
    "gmail": '<br clear="all"><div><br></div><span class="gmail_signature_prefix">-- </span><br>'
    '<div dir="ltr" class="gmail_signature">Bo Roth<br>Globex plover</div>',
    "outlook": '<div id="Signature"><p>Bo Roth</p><p>Globex plover</p></div>',
    "thunderbird": '<pre class="moz-signature">-- \nBo Roth\nGlobex plover</pre>',
    "proton": '<div class="protonmail_signature_block"><div>Sent with Proton Mail, plover</div></div>',
    "unmarked": "<div>-- <br></div><div>Bo Roth</div><div>Globex plover</div>",
}


def replies() -> Iterator[tuple[str, Mail]]:
    """Yield every reply with its name: client, format, place of the answer, language."""
    for language, words in WORDS.items():
        for client, attribution in ATTRIBUTIONS.items():
            for place, text in ATTRIBUTED_TEXTS.items():
                yield f"{client}, text, {place}, {language}", text(attribution(words), words)
        for client, (attribution, html) in ATTRIBUTED_HTMLS.items():
            yield from _htmls(client, language, attribution(words), html)
        for block in BLOCK_TEXTS:
            yield f"{block.__name__}, {language}", Mail(block(words), None)
        for block in BLOCK_HTMLS:
            yield f"{block.__name__}, html, {language}", Mail(None, block(words))
            yield f"{block.__name__}, both, {language}", Mail(outlook_text(words), block(words))
    for client, (attribution, html) in ENGLISH_HTMLS.items():
        for place, text in ATTRIBUTED_TEXTS.items():
            yield f"{client}, text, {place}", text(attribution(WORDS["en"]), WORDS["en"])
        yield from _htmls(client, "en", attribution(WORDS["en"]), html)


def _htmls(client: str, language: str, attribution: str, html: Callable[..., str]) -> Iterator[tuple[str, Mail]]:
    quoted = f"<div>{SECRET}</div><div>{LATER}</div>"
    written = escape(attribution, quote=False)
    yield f"{client}, html, {language}", Mail(None, html(written, quoted))
    yield (
        f"{client}, both, {language}",
        Mail(f"{NEW}\n\n{attribution}\n\n> {SECRET}\n> {LATER}\n", html(written, quoted)),
    )
    if client in HAS_ANSWER_BELOW:
        answered = html(written, quoted, f"<div>{SECOND}</div>")
        yield f"{client}, html, above and below, {language}", Mail(None, answered, kept=BOTH)


def forwards() -> Iterator[tuple[str, Mail]]:
    """Yield every forward with its name, as text alone, as HTML alone, and as both."""
    for language, words in WORDS.items():
        for forward in FORWARDS:
            mail = forward(words)
            yield f"{forward.__name__}, text, {language}", mail._replace(html=None)
            yield f"{forward.__name__}, html, {language}", mail._replace(text=None)
            yield f"{forward.__name__}, both, {language}", mail


def endings() -> Iterator[tuple[str, Mail]]:
    """Yield messages with something below the text that is none of it."""
    for language, words in WORDS.items():
        yield f"telephone, {language}", telephone(words)
        yield f"telephone, html, {language}", telephone(words)._replace(text=None)
    for language, words in NOTICES.items():
        yield f"notice, {language}", notice(words)
        yield f"notice, html, {language}", notice(words)._replace(text=None)
    for client, markup in SIGNATURES.items():
        yield f"signature, {client}", signed(markup)
