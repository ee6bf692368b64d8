"""`mail.inspection` over the labelled corpus: every flag is found, and rightly."""

import pytest

from mail.inspection import MEANINGS
from tests.mail.inspection import scores

FLOOR_OF_PRECISION = 0.95
FLOOR_OF_RECALL = 0.9


@pytest.mark.parametrize("flag", MEANINGS)
def test_a_flag_is_right_and_found(flag: str) -> None:
    score = scores.score("tuned", [flag])
    assert score.right, "no mail of the corpus has this flag"
    assert score.precision >= FLOOR_OF_PRECISION
    assert score.recall >= FLOOR_OF_RECALL


def test_the_flags_hold_on_mails_they_were_not_tuned_on() -> None:
    score = scores.score("held out", MEANINGS)
    assert score.precision >= FLOOR_OF_PRECISION
    assert score.recall >= FLOOR_OF_RECALL


def test_the_corpus_is_large_and_its_labels_are_flags() -> None:
    cases = [case for corpus in scores.CORPORA.values() for case in corpus]
    assert len(cases) >= 150
    assert len({case.name for case in cases}) == len(cases)
    assert {flag for case in cases for flag in case.flags} == MEANINGS.keys()
    assert sum(not case.flags for case in cases) >= 75


@pytest.mark.parametrize(
    ("right", "wrong", "missed", "precision", "recall"),
    [(9, 1, 0, 0.9, 1.0), (9, 0, 1, 1.0, 0.9), (0, 0, 0, 1.0, 1.0), (0, 1, 1, 0.0, 0.0)],
)
def test_precision_and_recall_are_what_they_are_called(
    right: int, wrong: int, missed: int, precision: float, recall: float
) -> None:
    score = scores.Score(right, wrong, missed)
    assert (score.precision, score.recall) == (precision, recall)
