"""What is found, by real mails in a real PostgreSQL."""

from typing import Any

import pytest

from environments import clock
from environments.binding import inside
from environments.gates import ask
from environments.models import Environment
from inboxes.models import Inbox
from mail.models import Message, SearchEntry
from mail.search import parse_query
from mail.services import search
from tests.world import World


@pytest.fixture
def inbox(acme: World, object_store: Any) -> Inbox:
    return acme.inbox()


def found(world: World, query: str, environment: Environment | None = None, **options: Any) -> list[str]:
    """Return the subjects that a query finds, the best first."""
    where = environment or world.development
    with inside(where):
        matches = search.find(where, parse_query(query, clock.now()), **options)
        rows = Message.objects.in_environment(where).in_bulk([match.message_id for match in matches])
    return [rows[match.message_id].subject for match in matches]


LANGUAGES = [  # language, what is written, what is asked
    ("en", "Please pay the attached invoices before the end of the month.", "invoice paying"),
    ("en", "The café is closed for renovation.", "cafe"),
    ("de", "Die Rechnungen sind noch nicht bezahlt worden, bitte überweisen Sie den Betrag.", "Rechnung"),
    ("de", "Wir haben die Verträge für Sie geprüft und auf der Straße nachgemessen.", "Vertrag STRASSE"),
    ("fr", "Nous vous remercions pour les commandes que vous avez passées à notre société.", "commande societe"),
    ("es", "Le enviamos las facturas de los pedidos que usted ha hecho en la tienda.", "factura pedido"),
    ("pt", "As entregas não foram feitas, por favor confirme a sua morada com a empresa.", "entrega"),
    ("it", "Le fatture sono state pagate e la consegna è prevista per il prossimo mese.", "fattura"),
    ("nl", "De facturen zijn nog niet betaald, wij wachten op uw betaling van het bedrag.", "factuur OR facturen"),
    ("sv", "Fakturorna har inte betalats och vi väntar på din betalning för varorna.", "betalning fakturorna"),
    ("da", "Vi har ikke modtaget betalingen for de varer som du har bestilt.", "betaling"),
    ("no", "Vi har ikke mottatt betalingen for varene som du har bestilt.", "betaling"),
    ("fi", "Laskut on maksettava ennen kuin tilaus voi lähteä, mutta se ei ole vielä valmis.", "lasku"),
    ("pl", "Prosimy o zapłatę faktury, która nie została jeszcze opłacona w terminie.", "zaplate faktury"),
    ("ru", "Мы отправили вам счета за оказанные услуги, просим оплатить их.", "счёт OR счета услуга"),
    ("tr", "Siparişleriniz için teşekkürler, faturalar ekte ve ödeme bekleniyor.", "SİPARİŞLERİNİZ faturalar"),
    ("el", "Σας στέλνουμε τα τιμολόγια για τις υπηρεσίες μας.", "τιμολογια"),  # noqa: RUF001
    ("hu", "A számlák még nincsenek kifizetve, és ez nem jó hír az ügyfélnek.", "szamlak"),
    ("ro", "Facturile nu au fost plătite și vă rugăm să faceți plata.", "platite"),
    ("cs", "Faktury ještě nebyly zaplaceny, prosíme o úhradu.", "uhradu"),
    ("ar", "نرسل إليكم الفواتير الخاصة بالطلبات الأخيرة", "الفواتير"),
    ("ar", "مُحَمَّد أرسل الرسالة", "محمد"),
    ("he", "אנחנו שולחים לכם את החשבוניות של החודש", "החשבוניות"),
    ("hi", "कृपया संलग्न चालान का भुगतान करें", "चालान भुगतान"),
    ("th", "กรุณาชำระเงินตามใบแจ้งหนี้ที่แนบมา", "ใบแจ้งหนี้"),
    ("zh", "请在月底之前支付所附的发票。", "发票"),
    ("zh", "我們已經收到您的付款。謝謝。", "付款 謝謝"),
    ("ja", "請求書を添付しましたのでご確認ください。", "請求書"),
    ("ja", "東京都の会議はキャンセルされました。", "ｷｬﾝｾﾙ"),
    ("ko", "첨부된 청구서를 확인해 주세요.", "청구서"),
    ("vi", "Vui lòng thanh toán hóa đơn đính kèm.", "hoa don"),
    ("uk", "Будь ласка, оплатіть рахунок до кінця місяця.", "рахунок"),
]


@pytest.mark.parametrize(("language", "text", "query"), LANGUAGES, ids=[f"{row[0]}-{row[2]}" for row in LANGUAGES])
def test_a_mail_in_any_language_is_found_by_its_words(
    acme: World, inbox: Inbox, language: str, text: str, query: str
) -> None:
    utf8 = {"MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8"}
    acme.deliver(inbox, acme.mail(language, text, **utf8), acme.mail("other", "Nothing of the kind. Nichts. 无关 무관"))
    assert found(acme, query) == [language]


FINDS = [  # query, whether the mail below is found
    ("from:bob@example.com", True),
    ("from:example.com", True),
    ("from:bob", True),
    ('from:"Bob Smith"', True),
    ("from:agent", False),
    ("bob@example.com", True),
    ("example.com", True),
    ("to:agent@acme.example", True),
    ("to:bob", False),
    ("to:carol", True),
    ("subject:quarterly", True),
    ("subject:lobster", False),
    ('subject:"quarterly report"', True),
    ('"report quarterly"', False),
    ('"the lobster dinner"', True),
    ("lobster", True),
    ("lobsters", True),
    ("lobst*", True),
    ("lobst", False),
    ("lobster -dinner", False),
    ("lobster -breakfast", True),
    ("-lobster", False),
    ("-breakfast", True),
    ("breakfast OR lobster", True),
    ("breakfast OR brunch", False),
    ("breakfast", False),
    ("INV-2024/0017", True),
    ("INV-2024/0018", False),
    ("inv-2024", True),
    ("4711.50", True),
    ("has:attachment", False),
    ("-has:attachment", True),
    ("in:inbox", True),
    ("in:sent", False),
    ("in:spam", False),
    ("in:anywhere lobster", True),
    ("after:2020-01-01", True),
    ("before:2020-01-01", False),
    ("before:2020-01-01 OR lobster", False),
    ("after:7d lobster", True),
    ("before:7d", False),
    ("newer_than:1d", True),
    ("label:urgent", True),
    ("label:later", False),
    ("-label:urgent", False),
    ("-label:later lobster", True),
    ("unknown:lobster", False),
    ("https://acme.example/orders/99", True),
    ("what is the lobster", True),
    ("o'brien", True),
    ("Ubermut", True),
]
MAIL = "The lobster dinner for O'Brien costs 4711.50, see INV-2024/0017 at https://acme.example/orders/99. Übermut!"


@pytest.mark.parametrize(("query", "is_found"), FINDS)
def test_an_operator_means_what_people_expect(acme: World, inbox: Inbox, query: str, is_found: bool) -> None:
    headers = {"From": "Bob Smith <bob@example.com>", "Cc": "Carol <carol@example.org>"}
    utf8 = {"MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8"}
    [identifier] = acme.deliver(inbox, acme.mail("Quarterly report", MAIL, **headers, **utf8))
    acme.api().post(f"/messages/{identifier}/labels", {"labels": ["urgent"]})
    assert found(acme, query) == (["Quarterly report"] if is_found else [])


HOSTILE = [
    '"', "'", '"""', "\\", "\\'", "\0", "& | ! ( ) : * <->", "a & b | !c", "'a':*A", "a<->b", "!!a", "--a", "-",
    "- -", "*", "(((((", ")))))", ":", "from:", 'from:"', 'from:""', "before:", "before:9999-99-99",
    "before:9999d", "after:0000-00-00", "in:", "in:nowhere", "label:", "has:", "OR", "OR OR OR", "a OR", "OR a",
    "AND", "-OR", "-from:-to:-x", "\ud7ff\ue000", "\u202e\u200b", "before:" + "9" * 500, "a" * 5000, '"' * 5000,
    "-" * 5000, "*" * 5000, "from:a " * 10_000, "-a " * 10_000, "a OR " * 10_000, "label:a " * 10_000,
    "before:1d " * 10_000, '"a b" ' * 10_000, "見" * 10_000, "a.b" * 3000, "x" * 3000 + "*", "éé" * 3000,
    "%s %(x)s {}", "'; DROP TABLE mail_message; --",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_an_error(acme: World, inbox: Inbox, query: str) -> None:
    acme.deliver(inbox)
    assert len(found(acme, query)) <= 1


def test_quarantined_mail_is_found_where_it_is_asked_for_only(acme: World, inbox: Inbox) -> None:
    [identifier] = acme.deliver(inbox, acme.mail("Lottery"))
    with inside(acme.development):
        rows = Message.objects.in_environment(acme.development)
        rows.update(status="quarantined")
        search.index(acme.development, [rows.get(pk=identifier)])
    assert found(acme, "lottery") == []
    assert found(acme, "lottery in:inbox") == []
    assert found(acme, "lottery in:spam") == found(acme, "in:anywhere lottery") == ["Lottery"]


def test_what_matches_better_comes_first(acme: World, inbox: Inbox) -> None:
    mails = [acme.mail("Lunch", "We talk of the invoice then"), acme.mail("Invoice", "Here"), acme.mail("Other", "No")]
    acme.deliver(inbox, *mails)
    assert found(acme, "invoice") == ["Invoice", "Lunch"]


def test_the_newest_come_first_where_nothing_tells_better_from_worse(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail("first"), acme.mail("second"), acme.mail("third"))
    assert found(acme, "in:inbox") == ["third", "second", "first"]


def test_only_the_newest_matches_are_ranked(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, *(acme.mail(f"invoice {number}") for number in range(5)))
    assert sorted(found(acme, "invoice", most=3)) == ["invoice 2", "invoice 3", "invoice 4"]


def test_an_inbox_is_searched_alone(acme: World, inbox: Inbox) -> None:
    other = acme.inbox()
    acme.deliver(inbox, acme.mail("here"))
    acme.deliver(other, acme.mail("there"))
    assert found(acme, "hello", inbox_id=inbox.pk) == ["here"]


def test_what_was_sent_is_found_with_all_of_its_recipients(acme: World, inbox: Inbox) -> None:
    api, path = acme.api(), f"/inboxes/{inbox.pk}/messages"
    api.post(
        path, {"to": "ann@example.com", "bcc": "eve@example.com", "subject": "Offer", "text_body": "Our best price"}
    )
    for query in ("price in:sent", "to:ann", "to:eve", "-in:inbox"):
        assert found(acme, query) == ["Offer"], query


def test_a_deleted_message_is_found_no_more(acme: World, inbox: Inbox) -> None:
    [identifier] = acme.deliver(inbox)
    acme.api().delete(f"/messages/{identifier}")
    assert found(acme, "hello") == []
    assert acme.rows(SearchEntry) == []


def test_a_search_finds_nothing_of_the_next_environment(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail("ours", "the same words"))
    acme.deliver(acme.inbox(acme.production), acme.mail("theirs", "the same words"))
    assert found(acme, "same words") == ["ours"]
    assert found(acme, "same words", acme.production) == ["theirs"]


def _asked(*, match: str = "'x'", most: int = 10) -> list[tuple[Any, ...]]:
    lowest, highest = search.LOWEST, search.HIGHEST
    return ask("search_messages", match, "", lowest, highest, None, most)


def test_the_gate_finds_nothing_outside_of_an_environment(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox)
    assert _asked(match=f"'{search.code_of(acme.development.pk)}!all'") == []


def test_the_gate_finds_nothing_by_the_code_of_another_environment(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox)
    everything = f"'{search.code_of(acme.development.pk)}!all'"
    with inside(acme.production):
        assert _asked(match=everything) == []
    with inside(acme.development):
        assert len(_asked(match=everything)) == 1


def test_the_code_alone_keeps_environments_apart_in_the_index(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox)
    acme.deliver(acme.inbox(acme.production))
    [ours], [theirs] = acme.rows(SearchEntry), acme.rows(SearchEntry, acme.production)
    lexemes = [{lexeme.split(":")[0] for lexeme in entry.document.split()} for entry in (ours, theirs)]
    assert lexemes[0].isdisjoint(lexemes[1])


def test_ranks_do_not_depend_on_the_mail_of_others(acme: World, inbox: Inbox) -> None:
    acme.deliver(inbox, acme.mail("Invoice", "Pay the invoice"), acme.mail("Lunch", "And the invoice"))

    def ranks() -> list[float]:
        with inside(acme.development):
            found_ = search.find(acme.development, parse_query("invoice", clock.now()))
        return [match.rank for match in found_]

    before = ranks()
    acme.deliver(acme.inbox(acme.production), *(acme.mail("Invoice", "invoice " * 30) for _ in range(20)))
    assert ranks() == before
    assert before[0] > before[1] > 0


def test_a_search_asks_as_many_queries_whatever_it_finds(
    acme: World, inbox: Inbox, django_assert_num_queries: Any
) -> None:
    for number in (1, 5):
        acme.deliver(inbox, *(acme.mail("invoice") for _ in range(number)))
        with inside(acme.development), django_assert_num_queries(2):
            search.find(acme.development, parse_query("invoice -from:ann OR x has:attachment OR bob", clock.now()))


def test_the_largest_mail_is_indexed_as_far_as_postgresql_takes_it(acme: World, inbox: Inbox) -> None:
    text = " ".join(f"word{number:06}\n" for number in range(60_000))
    acme.deliver(inbox, acme.mail("large", f"first {text}"))
    assert found(acme, "first word000001") == ["large"]


def test_mail_is_written_without_a_list_of_pending_entries(db: None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'search_documents'")
        assert cursor.fetchone() == (["fastupdate=off"],)
