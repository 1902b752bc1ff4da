"""What identifies a customer is checked where it comes in: numbers by their own check digits."""

import pytest
from pydantic import ValidationError

from contracts.commands import COMMAND, OpenAccount
from contracts.requisites import Bank, Requisites

OPEN = {"command": "OpenAccount", "account_id": "oka", "customer_name": "Ока", "contract_number": "7"}
OPEN |= {"contract_date": "2026-01-15"}


@pytest.mark.parametrize("inn", ["7707083893", "7801234564", "500100732259"])
def test_a_taxpayers_number_checks_itself(inn: str):
    assert Requisites(inn=inn).inn == inn


@pytest.mark.parametrize(
    "inn",
    [
        "7707083894",
        "500100732258",
        "500100732249",
        "770708389",
        "77070838930",
        "７７０７０８３８９３",
        "770708389a",
        "",
    ],
)
def test_a_number_that_is_none_is_refused(inn: str):
    with pytest.raises(ValidationError, match="INN"):
        Requisites(inn=inn)


@pytest.mark.parametrize("kpp", ["770101001", "7701AB001"])
def test_a_kpp_has_nine_characters(kpp: str):
    assert Requisites(kpp=kpp).kpp == kpp


@pytest.mark.parametrize("kpp", ["77010100", "7701010011", "7701ab001", "A701AB001"])
def test_what_is_no_kpp_is_refused(kpp: str):
    with pytest.raises(ValidationError, match="KPP"):
        Requisites(kpp=kpp)


def test_a_command_without_requisites_is_the_same_text_as_before_there_were_any():
    assert COMMAND.validate_python(OPEN).model_dump(mode="json") == OPEN


def test_requisites_are_part_of_a_command():
    command = COMMAND.validate_python(OPEN | {"customer_requisites": {"inn": "7707083893", "address": "Москва"}})
    assert isinstance(command, OpenAccount)
    assert command.customer_requisites == Requisites(inn="7707083893", address="Москва")
    assert command.model_dump(mode="json")["customer_requisites"]["inn"] == "7707083893"


@pytest.mark.parametrize("misfit", [{"phone": "1"}, {"inn": 7707083893}, {"address": " "}, "7707083893"])
def test_requisites_that_do_not_fit_are_refused(misfit: object):
    with pytest.raises(ValidationError, match="customer_requisites"):
        COMMAND.validate_python(OPEN | {"customer_requisites": misfit})


def test_a_bank_account_is_checked_together_with_its_bank():
    bank = {"name": "ПАО Сбербанк", "bic": "044525225", "account": "40702810500000001234"}
    Bank.model_validate(bank)
    Bank.model_validate(bank | {"correspondent_account": "30101810400000000225"})
    for field, wrong in (
        ("account", "40702810500000001235"),
        ("account", "407028105"),
        ("bic", "044525974"),
        ("bic", "4525225"),
        ("correspondent_account", "30101810400000000226"),
    ):
        with pytest.raises(ValidationError, match=field):
            Bank.model_validate(bank | {field: wrong})
