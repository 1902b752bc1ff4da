"""Why a closing charged what it charged, and on which hours (rules 5, 6.1, 6.2, 10.1)."""

import pytest

from tests.ledger.vocabulary import buy, close, close_month, given, time_passes
from tests.projections.tasks.explained import explained, text


def test_regular_work_costs_what_was_worked():
    story = given(buy("spring", on="2026-03-01"), close(worked=90, on="2026-03-05 16:00"))
    assert text(story) == (
        "Задача «Перенос портала» закрыта и подтверждена 5 марта 2026 г. Это обычная задача, её коэффициент — 1. "
        "Отработано и принято к учёту: 1 час 30 минут. Часы списаны с пакета «spring» (20 часов, действует по "
        "1 июня 2026 г. включительно): 1 час 30 минут, 4 785,00 ₽. Задача вошла в отчёт за март 2026 года. "
        "Итого за задачу: 1 час 30 минут, 4 785,00 ₽."
    )
    assert text(story, lang="en") == (
        "Task “Перенос портала” was closed and confirmed on 5 March 2026. It is a regular task, with coefficient 1. "
        "Time worked and charged: 1 hour 30 minutes. The hours came from package “spring” (20 hours, valid through "
        "1 June 2026): 1 hour 30 minutes, 4,785.00 ₽. It is in the report for March 2026. "
        "In all, the task costs 1 hour 30 minutes, 4,785.00 ₽."
    )
    closing = explained(story).closings[0]
    assert (closing.worked_minutes, closing.worked_hours, closing.effective_when) == (90, "1.50", "closed")
    assert closing.closed_at == closing.confirmed_at == closing.effective_at


@pytest.mark.parametrize("title", ["Перенос на новый год: маркетинг..", "2025 г..", "г..."])
def test_a_title_stands_in_sentences_as_it_was_entered(title: str):
    assert f"«{title}» закрыта и подтверждена 5 марта 2026 г. Это обычная" in text(
        given(close(title=title, on="2026-03-05"))
    )


def test_a_task_counts_from_its_confirmation():
    story = given(buy("spring", on="2026-03-01"), close(closed="2026-03-05", on="2026-03-09"))
    assert "закрыта 5 марта 2026 г., подтверждена 9 марта 2026 г. и учтена днём подтверждения" in text(story)
    closing = explained(story).closings[0]
    assert (closing.effective_when, closing.effective_at) == ("confirmed", closing.confirmed_at)


def test_urgent_work_counts_half_as_much_again_because_urgency_was_agreed():
    story = given(
        buy("spring", on="2026-03-01"),
        close(
            worked=50, category="urgent", agreed="2026-03-04 18:00", started="2026-03-05 10:00", on="2026-03-05 12:00"
        ),
    )
    assert (
        "Это срочная задача, её коэффициент — 1,5: срочность согласована 4 марта 2026 г. в 18:00, до начала работ "
        "(5 марта 2026 г. в 10:00). Отработано: 50 минут; принято к учёту: 50 минут × 1,5 = 1 час 15 минут."
    ) in text(story)
    why = explained(story).closings[0].coefficient
    assert (why.coefficient, why.category, why.off_hours_requested_at) == ("1.5", "urgent", None)
    assert why.urgency_agreed_at is not None


def test_off_hours_work_counts_double_because_it_was_requested():
    requested = {"requested": "2026-03-04 18:00", "started": "2026-03-04 20:00", "on": "2026-03-05 12:00"}
    story = given(buy("spring", on="2026-03-01"), close(worked=60, category="off_hours", **requested))
    assert (
        "Работа выполнена вне рабочего времени, её коэффициент — 2: запрос на неё получен 4 марта 2026 г. в 18:00, "
        "до начала работ (в 20:00). Отработано: 1 час; принято к учёту: 1 час × 2 = 2 часа."
    ) in text(story)
    both = close("T-2", worked=10, category="urgent_off_hours", agreed="2026-03-04 19:00", **requested)
    assert (
        "Это срочная работа вне рабочего времени, её коэффициент — 3: срочность согласована 4 марта 2026 г. в 19:00, "
        "запрос на работу в это время получен в 18:00, и то и другое до начала работ (в 20:00)."
    ) in text(story.when(both), "T-2")


def test_hours_that_end_first_go_first_and_the_text_says_so():
    story = given(
        buy("long", "hours-50", on="2026-03-01"),
        buy("short", on="2026-03-02", carry_over=False),
        close(worked=1230, on="2026-03-05"),
    )
    closing = explained(story).closings[0]
    assert [(draw.lot_id, draw.minutes, draw.hours) for draw in closing.draws] == [
        ("short", 1200, "20.00"),
        ("long", 30, "0.50"),
    ]
    assert (
        "Часы списаны по очереди, начиная с пакета, который раньше заканчивается: пакет «short» (20 часов, действует "
        "по 2 июня 2026 г. включительно) — 20 часов, 63 800,00 ₽; затем пакет «long» (50 часов, "
        "действует по 1 декабря 2026 г. включительно) — "
        "30 минут, 1 365,00 ₽."
    ) in text(story)


def test_of_hours_that_end_together_those_bought_first_go_first_even_in_other_hands():
    story = given(
        buy("old", on="2026-03-01"),
        buy("new", on="2026-05-30"),
        time_passes("2026-06-03"),
        close(worked=1210, on="2026-06-05"),
    )
    assert [(draw.lot_id, draw.package_id) for draw in explained(story).closings[0].draws] == [
        ("old", "new"),
        ("new", "new"),
    ]
    said = text(story)
    assert "а при равном сроке — с купленного раньше: пакет «old» (20 часов, часы перенесены в пакет «new»" in said
    assert "который действует по 30 августа 2026 г. включительно) — 20 часов" in said


def test_a_late_task_takes_hours_that_had_been_forfeited():
    story = given(
        buy("spring", on="2026-03-01"),
        time_passes("2026-06-10"),
        close(worked=40, on="2026-03-05", recorded="2026-06-11"),
    )
    closing = explained(story).closings[0]
    assert (closing.released_minutes, closing.draws[0].released) == (40, True)
    assert "Из них уже числились сгоревшими: 40 минут. В день задачи они ещё действовали" in text(story)
    assert "Of these, 40 minutes had been forfeited by then." in text(story, lang="en")


def test_a_closed_month_is_corrected_in_the_first_open_one():
    story = given(buy("spring", on="2026-03-01"), close_month("2026-03", on="2026-04-01"))
    story.when(close(on="2026-03-31 12:00", recorded="2026-04-02"))
    assert (
        "Отчёт за март 2026 года к тому времени был закрыт, поэтому задача вошла в отчёт за апрель 2026 года "
        "как корректировка."
    ) in text(story)
