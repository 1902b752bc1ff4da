"""A closing that corrects another: both are explained, and name each other (rule 8.6)."""

from tests.ledger.vocabulary import buy, close, correct, given, pay, reopen, time_passes
from tests.projections.tasks.explained import explained, text

BOUGHT = buy("spring", on="2026-03-01")


def test_a_time_corrected_downwards_says_what_stays_and_what_went_back():
    story = given(
        BOUGHT, close(worked=600, on="2026-03-05"), correct(worked=500, on="2026-03-05", recorded="2026-03-09")
    )
    old, new = explained(story).closings
    assert (old.reversals[0].kind, old.reversals[0].corrected_by_closure, new.corrects_closure) == ("correction", 2, 1)
    assert [(part.lot_id, part.minutes) for part in new.taken_over] == [("spring", 500)]
    assert new.draws == ()
    assert (
        "9 марта 2026 г. закрытие исправлено (причина: «время исправлено»): вместо него стоит закрытие 2. "
        "Возвращено в пакет «spring»: 1 час 40 минут, 5 316,67 ₽."
    ) in text(story)
    assert (
        "Закрытие 2 вместо закрытия 1: задача «Перенос портала» закрыта и подтверждена 5 марта 2026 г. "
        "Это обычная задача, её коэффициент — 1. Отработано и принято к учёту: 8 часов 20 минут. "
        "От закрытия 1 осталось списанным, как было: 8 часов 20 минут, 26 583,33 ₽."
    ) in text(story)
    assert text(story).endswith("Итого за задачу: 8 часов 20 минут, 26 583,33 ₽.")


def test_a_time_corrected_upwards_says_what_was_drawn_beside_and_what_is_owed():
    story = given(
        BOUGHT, close(worked=1190, on="2026-03-05"), correct(worked=1260, on="2026-03-05", recorded="2026-03-09")
    )
    new = explained(story).closings[1]
    assert (sum(part.minutes for part in new.taken_over), [draw.minutes for draw in new.draws], new.owed_minutes) == (
        1190, [10], 60,
    )  # fmt: skip
    english = text(story, lang="en")
    assert "Of closing 1 this stays charged as it was: 19 hours 50 minutes" in english
    assert "The hours came from package “spring” (20 hours, valid through 1 June 2026): 10 minutes" in english
    assert "There were no hours for the rest, which is owed: 1 hour." in english


def test_what_cannot_go_back_of_a_corrected_closing_is_a_compensation_that_says_why():
    story = given(
        close(worked=60, on="2026-03-05"),
        pay(60, on="2026-03-06"),
        correct(worked=20, on="2026-03-05", recorded="2026-03-09"),
    )
    new = explained(story).closings[1]
    assert [(part.lot_id, part.minutes) for part in new.taken_over] == [(None, 20)]
    assert "Что вернуть нельзя (срок пакета истёк или оплачено деньгами), стало компенсацией: 40 минут" in text(story)


def test_a_closing_that_is_taken_back_whole_leaves_nothing_to_the_one_in_its_place():
    story = given(BOUGHT, close(worked=60, on="2026-03-05"), correct(worked=60, on="2026-03-06", recorded="2026-03-09"))
    new = explained(story).closings[1]
    assert (new.taken_over, [draw.minutes for draw in new.draws]) == ((), [60])
    assert "Возвращено в пакет «spring»: 1 час" in text(story)


def test_a_corrected_closing_can_be_taken_back_to_a_lot_that_it_took_over():
    story = given(
        BOUGHT,
        close(worked=60, on="2026-03-05"),
        correct(worked=50, on="2026-03-05", recorded="2026-03-09"),
        reopen(on="2026-03-10"),
        time_passes("2026-03-11"),
    )
    said = text(story)
    assert "задача возвращена в работу (причина: «не доделано»), и всё взятое за неё отменено. Возвращено в" in said
