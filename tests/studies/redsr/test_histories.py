from srlab.checkpoints.files import read_provenance
from srlab.studies.redsr.histories import shipped_steps, training_curves


def test_a_loss_is_drawn_for_whom_it_was_trained_on():
    plain = [{"step": 1, "psnr": 20.0}, {"step": 5, "psnr": 24.0}]
    repeating = [{"step": 2, "psnr": 21.0, "redegradation": 0.5}]
    drawn = [(t.name, [*t.x], [*t.y]) for t in training_curves({"1": plain, "2": repeating}).data]
    assert drawn == [
        ("1", [1, 5], [20.0, 24.0]),
        ("2", [2], [21.0]),
        ("2", [2], [0.5]),
    ]


def test_a_ladder_has_a_file_at_every_rung():
    rungs = shipped_steps("redsr-8")
    assert len(rungs) > 3
    assert [*rungs] == sorted(rungs)
    assert all(read_provenance(file).step == step for step, file in rungs.items())
    assert [*rungs.values()][-1] == "redsr-8"
    assert shipped_steps("redsr-paper") == {}
    few = shipped_steps("redsr-8", [500, 7])
    assert few == {step: file for step, file in rungs.items() if step in (500, max(rungs))}
