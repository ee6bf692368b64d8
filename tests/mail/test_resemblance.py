"""Which mails say nearly the same: a table of pairs."""

import time

import pytest

from mail.services.resemblance import fingerprint, is_near

ORDER = (
    "Hello Ann, thank you for your order. We have received your payment and your parcel will leave our warehouse "
    "today. You can follow it with the number in the shipping notice. If anything is missing, please answer this mail "
    "and we will look into it at once. Kind regards, the team"
)
INVOICE = (
    "Dear Ann, your invoice is attached. Please pay within the month to the account named below. Let us know if the "
    "address is no longer right. Kind regards, the team"
)
FOOTER = "\n\nThis message is confidential and meant for its recipient alone. Acme Limited, registered in London."

SAME = {
    "the very same": (("Hi", ORDER), ("Hi", ORDER)),
    "another number": (("Ticket 1", "Ticket 1 is closed."), ("Ticket 2", "Ticket 2 is closed.")),
    "another date": (
        ("Report", "The report of Monday, 3 March 2026 at 10:15 am is ready."),
        ("Report", "The report of Tuesday, 4 November 2027 at 9:00 pm is ready."),
    ),
    "another id": (
        ("Job", "Job 9f1c2e77-aa10-4d4e-8a51-0f3d failed with E1001."),
        ("Job", "Job 0b7de1a9-cc31-4f6b-9b7c-77e2 failed with E2002."),
    ),
    "another link": (
        ("Sign in", "Use https://acme.example/in?token=abcDEF to sign in."),
        ("Sign in", "Use https://acme.example/in?token=ghiJKL to sign in."),
    ),
    "other case and blanks": (("Hello", ORDER), ("HELLO", ORDER.upper().replace(" ", "\n  "))),
    "other punctuation": (("Hello!", ORDER), ("hello", ORDER.replace(".", "!").replace(",", ""))),
    "an answer to an answer": (("Out of office", "I am away."), ("Re: AW: Re: Out of office", "I am away.")),
    "growing quotes": (("Hi", ORDER), ("Hi", f"{ORDER}\n> {INVOICE}\n>> {INVOICE}\n> Ann wrote")),
    "one word of fifty": (("Hi", ORDER), ("Hi", ORDER.replace("warehouse", "store"))),
    "numbers between ideographs": (("注文", "ご注文12番を発送しました。"), ("注文", "ご注文345番を発送しました。")),
    "nothing but numbers": (("1", "42"), ("2", "17")),
}
DIFFERENT = {
    "other words": (("Hi", ORDER), ("Hi", INVOICE)),
    "the same footer": (("Hi", f"Shall we meet on the roof?{FOOTER}"), ("Hi", f"Your parcel was lost, sorry.{FOOTER}")),
    "short and other": (("Hi", "Yes, gladly."), ("Hi", "No, sorry.")),
    "half of it": (("Hi", f"{ORDER}"), ("Hi", f"{ORDER[:130]} {INVOICE}")),
    "another subject of a short mail": (("Lunch", "See you."), ("The audit of the year", "See you.")),
    "other ideographs": (("件", "ご注文を発送しました。"), ("件", "会議は明日の午後に変わりました。")),
    "nothing and something": (("", ""), ("Hi", ORDER)),
}


def marks(pair: tuple[tuple[str, str], tuple[str, str]]) -> tuple[int, int]:
    return fingerprint(*pair[0]), fingerprint(*pair[1])


@pytest.mark.parametrize("name", SAME)
def test_these_are_nearly_the_same(name: str) -> None:
    assert is_near(*marks(SAME[name]))


@pytest.mark.parametrize("name", DIFFERENT)
def test_these_are_not(name: str) -> None:
    assert not is_near(*marks(DIFFERENT[name]))


def test_html_is_read_without_its_tags() -> None:
    assert is_near(fingerprint("Hi", None, f"<p>{ORDER}</p>"), fingerprint("Hi", None, f"<div><b>{ORDER}</b></div>"))


def test_files_are_known_by_their_names() -> None:
    assert is_near(fingerprint("", "", None, ["report 1.pdf"]), fingerprint("", "", None, ["report 2.pdf"]))
    assert not is_near(fingerprint("", "", None, ["report.pdf"]), fingerprint("", "", None, ["photo of cats.png"]))


@pytest.mark.parametrize("evil", ["a", "<", ">", "1", "a1 ", "\n>", "日", "a.", "://", "\ud800"])
def test_no_text_takes_long(evil: str) -> None:
    text, started = evil * 2_000_000, time.process_time()
    assert -(2**63) <= fingerprint(text, text, text) < 2**63
    assert time.process_time() - started < 1
