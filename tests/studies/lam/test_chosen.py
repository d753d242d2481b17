"""Which networks a page asks."""

import pytest

from srlab.studies.lam import chosen
from srlab.studies.study import Study


@pytest.fixture
def study():
    return Study("lam/none", claim="", source="", claims={"one": "holds"})


def test_the_zoo_goes_by_its_labels_and_is_kept_in_mind(study):
    found = chosen.chosen_networks(study, ["fsrcnn-d56-m4", "edsr-c8-b2"], "zoo")
    assert list(found) == ["FSRCNN", "EDSR-C8-B2"]
    assert study.networks == ["fsrcnn-d56-m4", "edsr-c8-b2"]


def test_published_ones_stand_alone_or_beside_it(study, monkeypatch):
    monkeypatch.setattr(chosen, "published_networks", lambda _: {"IMDN, published": None})
    assert list(chosen.chosen_networks(study, [], "published")) == ["IMDN, published"]
    assert list(chosen.chosen_networks(study, ["imdn"], "both")) == ["IMDN", "IMDN, published"]
    with pytest.raises(ValueError, match="zoo, published, both"):
        chosen.chosen_networks(study, [], "all")


def test_families_gather_what_is_called_alike():
    labels = dict.fromkeys(["CARN", "CARN-M, published", "RCAN", "EDSR-C8-B2"])
    assert [chosen.family(label) for label in labels] == ["CARN", "CARN", "RCAN", "EDSR"]
    assert chosen.members(labels, ["CARN", "SAN"]) == ["CARN", "CARN-M, published"]


def test_present_are_those_that_need_no_download(tmp_path, monkeypatch):
    monkeypatch.setenv("SRLAB_DATA", str(tmp_path))
    monkeypatch.setattr(chosen, "on_board", lambda name: name == "rfdn")
    assert chosen.present(["pan", "imdn", "rfdn"]) == ["rfdn"]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / chosen.OFFICIAL_WEIGHTS["imdn"].file).touch()
    assert chosen.present(["pan", "imdn", "rfdn"]) == ["imdn", "rfdn"]
