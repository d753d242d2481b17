from srlab.studies.redsr.histories import training_curves


def test_a_loss_is_drawn_for_whom_it_was_trained_on():
    plain = [{"step": 1, "psnr": 20.0}, {"step": 5, "psnr": 24.0}]
    repeating = [{"step": 2, "psnr": 21.0, "redegradation": 0.5}]
    drawn = [(t.name, [*t.x], [*t.y]) for t in training_curves({"1": plain, "2": repeating}).data]
    assert drawn == [
        ("1", [1, 5], [20.0, 24.0]),
        ("2", [2], [21.0]),
        ("2", [2], [0.5]),
    ]
