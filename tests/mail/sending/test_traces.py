"""One trace leads from the call that sent a mail, in one process, to its hand-over, by another."""

from environments.ids import decode
from environments.telemetry import traces
from tests.environments.collector import Collector, only
from tests.mail.sending.conftest import Post


def test_a_call_is_followed_to_the_hand_over_of_what_it_sent(post: Post, collector: Collector) -> None:
    post.mode("live")
    trace = decode("msg", post.send("ann@example.com", subject="Hello")["id"]).hex
    post.run()
    traces.writing().provider.force_flush()
    request, sent = only(collector, "http.request", trace), only(collector, "mail.send", trace)
    handed = only(collector, "mail.hand_over", trace)
    assert [request.parent, sent.parent, handed.parent] == ["", request.id, sent.id]
    assert (
        "delivered" in handed.attributes["hand_over.outcomes"] or "accepted" in handed.attributes["hand_over.outcomes"]
    )
    assert "Hello" not in str(collector.spans)
    assert "ann@" not in str(collector.spans)
