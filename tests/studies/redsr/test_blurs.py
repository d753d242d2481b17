from srlab.degradations import Degradation
from srlab.studies.redsr.blurs import blurred, blurs


def test_blurs_are_those_of_training():
    round_blur = Degradation(scale=4, blur_sigma=1.5, kernel_size=21)
    assert blurs([0.5, 1.5])["σ 1.5"] == round_blur
    assert [*blurs([0.5, 2.0])] == ["σ 0.5", "σ 2"]
    assert blurred(1.5, noise_sigma=0.1).noise_sigma == 0.1
