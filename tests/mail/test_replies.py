"""What clients make of a reply, in many languages: the new word is kept, the quoted secret is not."""

# ruff: noqa: E501, RUF001 - what clients write, in many scripts

import pytest

from mail.extraction import extract

NEW, SECRET = "marzipan", "heliotrope"
ANSWER = f"Thursday works, I bring the {NEW}."
QUOTED = f"The door code is {SECRET}.\nSee you on Monday."

ATTRIBUTIONS = {  # as the clients write them above quoted lines
    "en gmail": "On Mon, Mar 4, 2024 at 10:12 AM Ann Lee <ann@acme.example> wrote:",
    "en apple": "On 4 Mar 2024, at 10:12, Ann Lee <ann@acme.example> wrote:",
    "de": "Am Mo., 4. März 2024 um 10:12 Uhr schrieb Ann Lee <ann@acme.example>:",
    "fr": "Le lun. 4 mars 2024 à 10:12, Ann Lee <ann@acme.example> a écrit :",
    "es": "El lun, 4 mar 2024 a las 10:12, Ann Lee (<ann@acme.example>) escribió:",
    "pt": "Em seg., 4 de mar. de 2024 às 10:12, Ann Lee <ann@acme.example> escreveu:",
    "it": "Il giorno lun 4 mar 2024 alle ore 10:12 Ann Lee <ann@acme.example> ha scritto:",
    "nl": "Op ma 4 mrt 2024 om 10:12 schreef Ann Lee <ann@acme.example>:",
    "sv": "Den mån 4 mars 2024 kl 10:12 skrev Ann Lee <ann@acme.example>:",
    "da": "Den man. 4. mar. 2024 kl. 10.12 skrev Ann Lee <ann@acme.example>:",
    "no": "man. 4. mars 2024 kl. 10:12 skrev Ann Lee <ann@acme.example>:",
    "fi": "ma 4. maalisk. 2024 klo 10.12 Ann Lee (ann@acme.example) kirjoitti:",
    "pl": "pon., 4 mar 2024 o 10:12 Ann Lee <ann@acme.example> napisał(a):",
    "cs": "po 4. 3. 2024 v 10:12 odesílatel Ann Lee <ann@acme.example> napsal:",
    "hu": "Ann Lee <ann@acme.example> ezt írta (időpont: 2024. márc. 4., H, 10:12):",
    "ro": "În lun., 4 mar. 2024 la 10:12, Ann Lee <ann@acme.example> a scris:",
    "ru": "пн, 4 мар. 2024 г. в 10:12, Ann Lee <ann@acme.example>:",
    "uk": "пн, 4 бер. 2024 р. о 10:12 Ann Lee <ann@acme.example> пише:",
    "tr": "Ann Lee <ann@acme.example>, 4 Mar 2024 Pzt, 10:12 tarihinde şunu yazdı:",
    "el": "Στις Δευ 4 Μαρ 2024 στις 10:12 π.μ., ο/η Ann Lee <ann@acme.example> έγραψε:",
    "he": "\u200fבתאריך יום ב׳, 4 במרץ 2024 ב-10:12 מאת Ann Lee <ann@acme.example>:",
    "ja": "2024年3月4日(月) 10:12 Ann Lee <ann@acme.example>:",
    "zh": "Ann Lee <ann@acme.example> 于2024年3月4日周一 10:12写道：",
    "ko": "2024년 3월 4일 (월) 오전 10:12, Ann Lee <ann@acme.example>님이 작성:",
    "vi": "Vào Th 2, 4 thg 3, 2024 vào lúc 10:12 Ann Lee <ann@acme.example> đã viết:",
    "id": "Pada tanggal Sen, 4 Mar 2024 pukul 10.12 Ann Lee <ann@acme.example> menulis:",
}
HEADER_BLOCKS = {  # as Outlook writes them above unquoted history: from, sent, to, subject
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Objet"),
    "es": ("De", "Enviado", "Para", "Asunto"),
    "pt": ("De", "Enviada em", "Para", "Assunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "tr": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
}
SENT_FROM = [
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Get Outlook for iOS",
    "Sent from my Galaxy",
    "Sent from Yahoo Mail on Android",
]


def marked(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def headed(labels: tuple[str, ...], *, colon: str = ":") -> str:
    values = ("Ann Lee <ann@acme.example>", "Monday, March 4, 2024 10:12", "Bob <bob@globex.example>", "Lunch")
    return "\n".join(f"{label}{colon} {value}" for label, value in zip(labels, values, strict=True))


def html(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")


MARKUP = {  # how clients wrap history in HTML; {attribution} and {quoted} stand for themselves
    "gmail": '<div dir="ltr">{new}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{attribution}<br>'
    '</div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{quoted}</blockquote></div>',
    "apple": '<body>{new}<br><div><br><blockquote type="cite"><div>{attribution}</div><br><div>{quoted}</div>'
    "</blockquote></div></body>",
    "thunderbird": '<p>{new}</p><div class="moz-cite-prefix">{attribution}<br></div><blockquote type="cite" '
    'cite="mid:1@acme.example"><p>{quoted}</p></blockquote>',
    "yahoo": '<div>{new}</div><div id="ydp1yahoo_quoted_2" class="ydp1yahoo_quoted"><div>{attribution}</div>'
    "<div>{quoted}</div></div>",
    "proton": '<div>{new}</div><div class="protonmail_quote">{attribution}<br><blockquote class="protonmail_quote" '
    'type="cite">{quoted}</blockquote></div>',
    "outlook web": '<div>{new}</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr">{attribution}'
    "</div><div>{quoted}</div>",
}


def assert_only_new(text_body: str | None, html_body: str | None = None) -> None:
    found = extract(text_body, html_body, subject="Re: Lunch")
    assert (NEW in found.text, SECRET in found.text) == (True, False), found.text
    if html_body:
        assert found.html is not None
        assert (NEW in found.html, SECRET in found.html) == (True, False), found.html


@pytest.mark.parametrize("language", ATTRIBUTIONS)
@pytest.mark.parametrize("layout", ["{new}\n\n{history}", "{history}\n\n{new}"], ids=["top", "bottom"])
def test_quoted_lines_below_an_attribution_are_history(language: str, layout: str) -> None:
    history = f"{ATTRIBUTIONS[language]}\n\n{marked(QUOTED)}"
    assert_only_new(layout.format(new=ANSWER, history=history))


@pytest.mark.parametrize("language", ATTRIBUTIONS)
def test_answers_between_quoted_lines_are_kept(language: str) -> None:
    first, second = QUOTED.split("\n")
    text = f"{ATTRIBUTIONS[language]}\n\n{marked(first)}\n\nChanged it.\n\n{marked(second)}\n\n{ANSWER}\n"
    assert_only_new(text)
    assert "Changed it." in extract(text, None).text


@pytest.mark.parametrize("language", HEADER_BLOCKS)
def test_all_below_a_header_block_is_history(language: str) -> None:
    assert_only_new(f"{ANSWER}\n\n{headed(HEADER_BLOCKS[language])}\n\n{QUOTED}\n")


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pl", "ru"])
def test_all_below_a_header_block_is_history_in_html_too(language: str) -> None:
    block = html(headed(HEADER_BLOCKS[language]))
    border = "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"
    assert_only_new(
        None, f'<p class="MsoNormal">{ANSWER}</p><div style="{border}"><p>{block}</p></div><p>{html(QUOTED)}</p>'
    )


@pytest.mark.parametrize("language", ["en gmail", "de", "fr", "ja", "ru", "pl"])
@pytest.mark.parametrize("client", MARKUP)
def test_what_a_client_marks_as_history_is_history(client: str, language: str) -> None:
    attribution, quoted = html(ATTRIBUTIONS[language]), html(QUOTED)
    assert_only_new(None, MARKUP[client].format(new=ANSWER, attribution=attribution, quoted=quoted))


@pytest.mark.parametrize("line", SENT_FROM)
def test_the_line_of_a_telephone_goes(line: str) -> None:
    history = f"{ATTRIBUTIONS['en gmail']}\n\n{marked(QUOTED)}"
    found = extract(f"{ANSWER}\n\n{line}\n\n{history}", None).text
    assert (NEW in found, SECRET in found, line in found) == (True, False, False)


def test_a_signature_goes_and_what_stands_above_it_stays() -> None:
    found = extract(f"{ANSWER}\n\n-- \nBob Brown\nGlobex, {SECRET} street 5\n", None).text
    assert found == ANSWER


@pytest.mark.parametrize("subject", ["Fwd: Lunch", "WG: Lunch", "TR: Lunch", "RV: Lunch"])
def test_a_forward_keeps_what_it_forwards(subject: str) -> None:
    title = "---------- Forwarded message ---------"
    found = extract(f"{ANSWER}\n\n{title}\n{headed(HEADER_BLOCKS['en'])}\n\n{QUOTED}\n", None, subject=subject)
    assert NEW in found.text
    assert SECRET in found.text
