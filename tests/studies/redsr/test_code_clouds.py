import numpy as np
import torch

from srlab.figures.embeddings import embedding_grid
from srlab.studies.redsr.clouds import code_clouds, labels
from srlab.studies.redsr.codes import Stacked

KINDS = np.repeat(["sharp", "blurred"], 6)
SEEN = Stacked(torch.zeros(12, 3, 8, 8), KINDS, np.tile(["cat", "dog"], 6))


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
    assert told["classes"] is SEEN.kinds
    assert told["contents"] is SEEN.pictures
