"""The settings of the connector are judged whole; what does not fit is named, and the webhook never repeated."""

import pytest

from services.bitrix24.settings import connector
from services.process.operator_error import OperatorError
from services.process.settings import parsed
from tests.bitrix24.trade import WEBHOOK

WHOLE = f"""
webhook = "{WEBHOOK}"
rounding = "entry"
since = 2026-01-01

[accounts]
3 = "oka"

[categories]
field = "UF_AUTO_5"
values = {{ "12" = "urgent" }}
tags = {{ "ночь" = "off_hours" }}
"""


def read(folder, text: str):
    file = folder / "portal.toml"
    file.write_text(text, encoding="utf-8")
    return parsed("settings", file, connector)


def test_a_whole_file_is_read(tmp_path):
    told = read(tmp_path, WHOLE)

    assert (told.accounts, told.rounding, told.own_fields) == ({3: "oka"}, "entry", ("UF_AUTO_5",))
    assert told.webhook.get_secret_value() == WEBHOOK
    assert WEBHOOK not in repr(told)


def test_the_secret_may_have_a_file_of_its_own(tmp_path):
    (tmp_path / "webhook.txt").write_text(f"{WEBHOOK.rstrip('/')}\n")

    told = read(tmp_path, WHOLE.replace(f'webhook = "{WEBHOOK}"', 'webhook_file = "webhook.txt"'))

    assert told.webhook.get_secret_value() == WEBHOOK


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('3 = "oka"', "", "accounts: "),
        ('3 = "oka"', 'three = "oka"', "accounts.three"),
        ('"entry"', '"up"', "rounding: "),
        ("since = 2026-01-01", "", "since: "),
        ('"urgent"', '"hurried"', "categories.values.12: "),
        ('field = "UF_AUTO_5"', "", "give field and values together"),
        ('field = "UF_AUTO_5"', 'field = "CATEGORY"', "categories.field: "),
        ("[categories]", "[category]", "category: "),
        ("/rest/1/", "/", "webhook: is no inbound webhook"),
        ("http://127.0.0.1", "http://portal.example", "webhook: goes over http"),
        ("since =", 'task_prefix = "B24."\nsince =', "task_prefix: "),
        ("since =", 'apply = ["correct", "all"]\nsince =', "apply"),
        ("[accounts]", '[consents]\nurgency_comment = "(yes"\n[accounts]', "consents.urgency_comment: is no regular"),
        ("[accounts]", '[answers]\nurl = "hours"\n[accounts]', "answers.url: is no address of Hourbook's pages"),
        ("[accounts]", '[answers]\nurl = "https://h"\nlanguage = "de"\n[accounts]', "answers.language: "),
        ("[accounts]", "[accounts", "it is not TOML"),
        ("[accounts]", "[accounts]\n03 = 'oka'", "line 6: accounts: a group is named twice"),
        ("3 =", "-3 =", "line 7: accounts.-3: "),
        ("since = 2026-01-01", "since = 0001-01-01", "line 4: since: "),
        ("since = 2026-01-01", 'since = "soon"', "line 4: since: is to be a day"),
        ("since =", "sinse = 1\nsince =", "line 4: sinse: is not known here: correct its name, or remove it"),
        ('"urgent"', "5", "line 11: categories.values.12: "),
        ('"off_hours"', '"night"', "line 12: categories.tags.ночь: "),
        ("[accounts]", "[answers]\n[accounts]", "line 6: answers.url: is missing: add it"),
        ('3 = "oka"', "3 = 7", "line 7: accounts.3: is to be a text in quotation marks"),
        *(
            ("thewebhooksecret/", f"thewebhooksecret{end}", "line 2: webhook: is no inbound webhook")
            for end in ("\\n/", " /", "/?x=1", "/#x")
        ),
        ("127.0.0.1/", "user:pass@127.0.0.1/", "line 2: webhook: is no inbound webhook"),
        ("127.0.0.1/", "127.0.0.1:65536/", "line 2: webhook: is no inbound webhook"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, old, new, said):
    with pytest.raises(OperatorError) as refused:
        read(tmp_path, WHOLE.replace(old, new))

    assert said in str(refused.value)
    assert "thewebhooksecret" not in str(refused.value)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(OperatorError, match=r"none\.toml: it cannot be read"):
        parsed("settings", tmp_path / "none.toml", connector)
    with pytest.raises(OperatorError, match=r"/none\.txt, which it names, cannot be read"):
        read(tmp_path, WHOLE.replace(f'webhook = "{WEBHOOK}"', 'webhook_file = "none.txt"'))
