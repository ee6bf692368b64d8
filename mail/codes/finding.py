"""From a message's subject and bodies to the codes and links in it."""

from mail.codes import links, one_time, reading
from mail.codes.values import Found


def find(subject: str, text: str | None, html: str | None) -> Found:
    """Return at most 10 one-time codes and 100 links of a message.

    The first 200,000 characters of the text are read, and as many of what the HTML shows in its first 300,000
    characters and 20,000 tags, in linear time; never raises for what a stranger sends. Digits are ASCII in what is
    returned, and groups of digits are joined.
    """
    page = reading.of_html(html or "")
    plain = reading.of_text(text or "")
    codes = one_time.codes_in(reading.sentences(subject), [reading.sentences(page.text), reading.sentences(plain.text)])
    return Found(tuple(codes), tuple(links.classified(subject, [*page.anchors, *plain.anchors])))
