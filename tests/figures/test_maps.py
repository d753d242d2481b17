import numpy as np
import pytest

from srlab.figures.maps import attribution_grid


def test_attribution_grid_lays_pictures_and_maps_on_the_same_lr_pixels(rng):
    picture = rng.integers(256, size=(32, 48, 3), dtype=np.uint8)  # 4 SR pixels an LR pixel
    panels = {("brick", "SR"): picture, ("brick", "map"): rng.random((8, 12))}
    figure = attribution_grid(
        panels, size=(8, 12), window=(2, 4, 3, 3), around=2, notes={("brick", "map"): "DI 1.0"}
    )
    image, heat = figure.data
    assert (image.dx, image.dy) == (0.25, 0.25)
    assert image.x0 - image.dx / 2 == image.y0 - image.dy / 2 == -0.5  # the corner of LR pixel 0
    assert heat.z.shape == (8, 12)
    assert {(s.x0, s.x1, s.y0, s.y1) for s in figure.layout.shapes} == {(3.5, 6.5, 1.5, 4.5)}
    assert len(figure.layout.shapes) == 2
    assert figure.layout.xaxis.range == (1.5, 8.5)
    assert figure.layout.yaxis.range == (6.5, -0.5)  # downwards, and not beyond the picture
    assert "map<br>DI 1.0" in {note.text for note in figure.layout.annotations}


def test_a_map_with_signs_shows_them_at_the_press_of_a_button(rng):
    signed = rng.uniform(-1, 1, size=(8, 12))
    picture = rng.integers(256, size=(32, 48, 3), dtype=np.uint8)
    panels = {("", "SR"): picture, ("", "map"): signed, ("", "other"): abs(signed)}
    figure = attribution_grid(panels, size=(8, 12), window=(2, 4, 3, 3))
    _, size, signs, other = figure.data
    np.testing.assert_allclose(size.z, abs(signed), rtol=1e-6)
    np.testing.assert_allclose(signs.z, signed, rtol=1e-6)
    assert (signs.visible, signs.coloraxis, other.coloraxis) == (False, "coloraxis2", "coloraxis")
    views = [button.args for button in figure.layout.updatemenus[0].buttons]
    assert views[0][0]["visible"] == [True, True, False, True]
    assert all(views[1][0]["visible"])
    assert views[1][1] == {"coloraxis.showscale": False, "coloraxis2.showscale": True}
    scale = figure.layout.coloraxis2.colorscale
    red, grey, blue = (scale[place][1] for place in (0, len(scale) // 2, -1))
    assert (red, grey, blue) == ("rgb(200, 40, 0)", "rgb(244, 244, 244)", "rgb(0, 90, 200)")
    plain = attribution_grid({("", "map"): abs(signed)}, size=(8, 12), window=(2, 4, 3, 3))
    assert not plain.layout.updatemenus


@pytest.mark.parametrize("columns", [1, 3, 6])
def test_rows_of_a_grid_are_as_high_as_their_panels(rng, columns):
    keys = [(row, " " * i) for row in ("SR", "map", "area") for i in range(columns)]
    figure = attribution_grid(
        {key: rng.random((8, 8)) for key in keys},
        size=(8, 8),
        window=(2, 2, 2, 2),
        notes={key: "DI 2.0" for key in keys if key[0] == "map"},
    )
    layout = figure.layout
    inside = layout.height - layout.margin.t - layout.margin.b
    places = [layout[f"yaxis{i * columns + 1}" if i else "yaxis"].domain for i in range(3)]
    heights = [inside * (high - low) for low, high in places]
    gaps = [inside * (places[i][0] - places[i + 1][1]) for i in range(2)]
    assert max(heights) == pytest.approx(min(165, 640 / columns), abs=1)
    assert gaps == pytest.approx([26, 26], abs=1)
    assert (layout.meta is None) == (columns < 3)


@pytest.mark.parametrize("count", [5, 6])
def test_words_over_a_narrow_panel_are_wrapped(rng, count):
    """Beside a colour bar, "29.3 dB, DI 0.41" on one line would run into the next panel's."""
    panels = {("", f"net {i}"): rng.random((8, 8)) for i in range(count)}
    notes = dict.fromkeys(panels, "29.3 dB, DI 0.41")
    figure = attribution_grid(panels, size=(8, 8), window=(2, 2, 2, 2), notes=notes)
    lines = figure.layout.annotations[0].text.split("<br>")
    assert " ".join(lines) == "net 0 29.3 dB, DI 0.41"
    assert max(map(len, lines)) * 7 <= 0.8 * 640 / count


def test_the_colour_bar_stands_beyond_the_titles_of_rows(rng):
    bar = {}
    for row in ("", "map", "black:<br>map"):
        panels = {(row, "net"): rng.random((8, 8))}
        figure = attribution_grid(panels, size=(8, 8), window=(2, 2, 2, 2))
        bar[row] = figure.layout.coloraxis.colorbar.xpad
    assert [*bar.values()] == [10, 26, 42]
