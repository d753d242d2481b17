import numpy as np
import torch

from srlab.degradations.windows import Windows
from srlab.figures.embeddings import embedding_grid
from srlab.studies.redsr.clouds import code_clouds, labels

KINDS = np.repeat(["sharp", "blurred"], 6)
LR = torch.zeros(6, 3, 8, 8)
SEEN = Windows(LR, {"sharp": LR, "blurred": LR}, ("cat", "dog") * 3)


def test_a_cloud_says_how_far_its_kinds_part():
    noise = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
    parted = noise + 100 * (KINDS == "blurred")[:, None].astype(np.float32)
    panels, written = code_clouds({"mixed": noise, "parted": parted}, SEEN, perplexity=3)
    assert [points.shape for points in panels.values()] == [(12, 2), (12, 2)]
    mixed, apart = (float(note.removeprefix("CHI ")) for note in written["notes"].values())
    assert apart > 10 * mixed
    assert len(embedding_grid(panels, **written).data)


def test_labels_are_of_the_windows():
    told = labels(SEEN)
    assert told["classes"].tolist() == KINDS.tolist()
    assert told["contents"].tolist() == ["cat", "dog"] * 6
