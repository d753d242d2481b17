import numpy as np
import pandas as pd

from srlab.studies.frames import curves


def test_curves_are_means_and_spans_in_the_order_of_the_rows():
    rows = [
        {"measure": m, "network": n, "seed": s, "block": b, "value": b + s + (n == "plain")}
        for m in ("CHI", "AUC")
        for n in ("with GR", "plain")
        for s in (0, 2)
        for b in (4, 1)
    ]
    lines, bands = curves(pd.DataFrame(rows), panel="measure", line="network", x="block")
    assert [*lines] == [*bands] == ["CHI", "AUC"]
    assert [*lines["CHI"]] == ["with GR", "plain"]
    np.testing.assert_array_equal(lines["AUC"]["plain"], [6, 3])
    np.testing.assert_array_equal(bands["CHI"]["with GR"], ([4, 1], [6, 3]))
