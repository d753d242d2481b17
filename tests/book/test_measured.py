"""Numbers of records in sentences of other pages."""

import pytest

from srlab.book.measured import MeasuredRole

RECORD = {"finding": "a/one", "measured": {"CHI": 20.0}, "interval": {"CHI": [18.0, 23.0]}}


@pytest.mark.parametrize(("spread", "shown"), [(True, "20.0 (18.0 to 23.0)"), (False, "20.0")])
def test_numbers_come_with_their_spread_or_without(monkeypatch, spread, shown):
    monkeypatch.setattr("srlab.book.measured.find_record", lambda _root, _place: (RECORD, ""))
    role = MeasuredRole(spread=spread)
    role.text = "a/one | CHI"
    env = type("Env", (), {"srcdir": ".", "note_reread": lambda _self: None})()
    monkeypatch.setattr(MeasuredRole, "env", env)
    (word,), _ = role.run()
    assert word.astext() == shown
