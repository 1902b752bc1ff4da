"""What became of a closing: debt settled and paid, and what went where when it was taken back (rules 6.4, 6.5, 8)."""

from tests.ledger.vocabulary import buy, close, given, mark_warranty, pay, reopen, time_passes
from tests.projections.tasks.explained import explained, text


def test_what_packages_cannot_cover_is_owed():
    story = given(buy("spring", on="2026-03-01"), close(worked=1230, on="2026-03-05"))
    assert "На остальное часов не хватило, в долг записано: 30 минут." in text(story)
    assert "Итого за задачу: 20 часов 30 минут, из них ещё в долгу: 30 минут; за остальное — 63 800,00 ₽." in text(
        story
    )
    task = explained(story)
    assert (task.charged_minutes_now, task.owed_minutes_now, task.amount_kopecks_now) == (1230, 30, 6_380_000)
    all_owed = text(given(close(on="2026-03-05")))
    assert "Действующих пакетов с остатком часов не было, и всё записано в долг: 1 час." in all_owed
    assert all_owed.endswith("Итого за задачу: 1 час, и всё это ещё в долгу.")


def test_a_debt_settled_by_the_package_bought_next():
    story = given(close(worked=60, on="2026-03-05"), buy("spring", on="2026-03-07 12:00"))
    (settlement,) = explained(story).closings[0].settlements
    assert (settlement.lot_id, settlement.minutes, settlement.cause.kind) == ("spring", 60, "purchase")
    assert settlement.cause.package_id == "spring"
    assert (
        "7 марта 2026 г. долг погашен часами купленного пакета «spring» (20 часов, "
        "действует по 7 июня 2026 г. включительно): "
        "1 час, 3 190,00 ₽. Итого за задачу: 1 час, 3 190,00 ₽."
    ) in text(story)


def test_a_debt_recorded_late_is_settled_by_the_first_hours_after_it():
    story = given(buy("spring", on="2026-03-07"), close(worked=60, on="2026-03-05", recorded="2026-03-09"))
    (settlement,) = explained(story).closings[0].settlements
    assert (settlement.cause.kind, settlement.cause.task_id) == ("closing", "T-1")
    assert "долг погашен первыми часами, которые появились после задачи, — часами пакета «spring»" in text(story)


def test_a_debt_settled_by_what_another_task_gave_back():
    story = given(
        buy("spring", on="2026-03-01"),
        close("T-1", worked=1200, on="2026-03-05"),
        close("T-2", worked=60, on="2026-03-06"),
        mark_warranty("T-1", on="2026-03-08"),
    )
    (settlement,) = explained(story, "T-2").closings[0].settlements
    assert (settlement.cause.kind, settlement.cause.task_id) == ("reversal", "T-1")
    assert "после возврата часов за задачу T-1, долг погашен часами пакета «spring»" in text(story, "T-2")


def test_a_debt_paid_with_money():
    story = given(close(worked=60, on="2026-03-05"), pay(21, on="2026-03-07"), pay(39, on="2026-03-08"))
    assert [payment.minutes for payment in explained(story).closings[0].payments] == [21, 39]
    assert (
        "7 марта 2026 г. часть долга оплачена деньгами: 21 минута по 3 190,00 ₽ за час, всего 1 116,50 ₽ "
        "(платёж «п/п 42»). 8 марта 2026 г. часть долга оплачена деньгами: 39 минут"
    ) in text(story)
    assert explained(story).amount_kopecks_now == 319_000


def test_the_hours_of_payments_and_of_settlements_add_up_each_by_themselves():
    paid = given(close(worked=20, on="2026-03-05"), pay(10, on="2026-03-07"), pay(10, on="2026-03-08"))
    assert [payment.hours for payment in explained(paid).closings[0].payments] == ["0.17", "0.16"]
    settled = given(
        close(worked=1220, on="2026-03-05"),
        pay(10, on="2026-03-07"),
        buy("a", on="2026-03-08"),
        buy("b", on="2026-03-09"),
    )
    settlements = explained(settled).closings[0].settlements
    assert [(part.minutes, part.hours) for part in settlements] == [(1200, "20.00"), (10, "0.17")]


def test_a_payment_says_of_each_task_only_what_it_paid_of_that():
    story = given(close("T-1", worked=60, on="2026-03-05"), close("T-2", worked=60, on="2026-03-06"), pay(90))
    assert [payment.minutes for payment in explained(story, "T-1").closings[0].payments] == [60]
    assert [payment.minutes for payment in explained(story, "T-2").closings[0].payments] == [30]


def test_a_warranty_mark_after_the_closing_gives_everything_back():
    story = given(buy("spring", on="2026-03-01"), close(worked=1210, on="2026-03-05"), mark_warranty(on="2026-03-09"))
    assert text(story).endswith(
        "9 марта 2026 г. задача признана гарантийной (причина: «ошибка наша»), и всё взятое за неё отменено. "
        "Возвращено в пакет «spring»: 20 часов, 63 800,00 ₽. Долг снят: 10 минут. Итого за задачу не списано ничего."
    )
    task = explained(story)
    assert task.closed
    assert task.warranty_mark is not None
    (reversal,) = task.closings[0].reversals
    assert (reversal.kind, reversal.cancelled_owed_minutes) == ("warranty", 10)
    assert (task.charged_minutes_now, task.owed_minutes_now, task.amount_kopecks_now) == (0, 0, 0)


def test_a_mark_before_any_closing_is_explained_and_then_counts():
    story = given(buy("spring", on="2026-03-01"), mark_warranty(on="2026-03-02"))
    assert not explained(story).closed
    assert text(story) == (
        "Задача T-1 отмечена как гарантийная 2 марта 2026 г. (причина: «ошибка наша») и ещё не закрыта. "
        "Когда её закроют, часы за неё не спишутся."
    )
    story.when(close(worked=60, on="2026-03-05"))
    assert explained(story).closings[0].coefficient.warranty_mark
    assert (
        "Она отмечена как гарантийная 2 марта 2026 г. (причина: «ошибка наша»), поэтому её коэффициент — 0 "
        "и часы за неё не списываются. Отработано: 1 час."
    ) in text(story)
    assert text(story).endswith("Итого за задачу не списано ничего.")


def test_warranty_work_is_a_category_too():
    story = given(close(category="warranty", on="2026-03-05"), mark_warranty(), reopen())
    assert "Это гарантийная задача, её коэффициент — 0: часы за неё не списываются." in text(story)
    assert "задача признана гарантийной (причина: «ошибка наша»); возвращать было нечего." in text(story)
    assert [reversal.kind for reversal in explained(story).closings[0].reversals] == ["warranty", "reopening"]
    assert text(story).endswith("Сейчас задача не закрыта, и за неё не списано ничего.")


def test_a_task_reopened_and_closed_anew_costs_its_new_closing():
    story = given(
        buy("spring", on="2026-03-01"),
        close(worked=120, on="2026-03-05"),
        reopen(on="2026-03-06"),
        close(worked=60, on="2026-03-09"),
    )
    task = explained(story)
    assert [closing.charged_minutes_now for closing in task.closings] == [0, 60]
    assert (task.closed, task.charged_hours_now, task.amount_kopecks_now) == (True, "1.00", 319_000)
    assert (
        "6 марта 2026 г. задача возвращена в работу (причина: «не доделано»), и всё взятое за неё отменено. "
        "Возвращено в пакет «spring»: 2 часа, 6 380,00 ₽. "
        "Задача «Перенос портала» снова закрыта и подтверждена 9 марта 2026 г."
    ) in text(story)


def test_what_cannot_go_back_is_compensated():
    story = given(
        buy("spring", on="2026-03-01"),
        close("T-1", worked=60, on="2026-03-05"),
        time_passes("2026-06-10"),
        mark_warranty("T-1", on="2026-06-11"),
    )
    (reversal,) = explained(story).closings[0].reversals
    assert reversal.compensation is not None
    assert (reversal.compensation.minutes, reversal.compensation.amount_kopecks) == (60, 319_000)
    assert (
        "Срок пакета, давшего часы, истёк, поэтому вместо возврата в него дана компенсация: 1 час, 3 190,00 ₽, "
        "действует по 11 июля 2026 г. включительно. Итого за задачу не списано ничего."
    ) in text(story)
    story.when(close("T-2", worked=30, on="2026-06-12"))
    assert (
        "Часы списаны с компенсации за задачу T-1 (действует по 11 июля 2026 г. включительно): 30 минут, 1 595,00 ₽."
    ) in text(story, "T-2")


def test_money_comes_back_as_compensation():
    story = given(close(worked=60, on="2026-03-05"), pay(60, on="2026-03-06"), reopen(on="2026-03-09"))
    assert "Оплаченное деньгами возвращено часами, компенсацией: 1 час, 3 190,00 ₽, действует по 8 апреля" in text(
        story
    )
    both = given(
        buy("spring", on="2026-03-01"),
        close(worked=1210, on="2026-03-05"),
        pay(10),
        time_passes("2026-06-10"),
        reopen(),
    )
    assert "Вместо часов истёкшего пакета и оплаченного деньгами дана компенсация: 20 часов 10 минут" in text(both)


def test_what_was_released_from_a_forfeiture_is_forfeited_again():
    story = given(
        buy("spring", on="2026-03-01"),
        time_passes("2026-06-10"),
        close(worked=40, on="2026-03-05", recorded="2026-06-11"),
        reopen(on="2026-06-12"),
    )
    (back,) = explained(story).closings[0].reversals[0].returned
    assert (back.forfeited, back.minutes) == (True, 40)
    assert "Снова считается сгоревшим вместе с остатком пакета «spring»: 40 минут, 2 126,67 ₽." in text(story)
