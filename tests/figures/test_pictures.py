import base64
import io

import numpy as np
import pytest
from PIL import Image

from srlab.figures.pictures import picture_grid, picture_row, signed_tiles, sprite_sheet, tinted


def test_a_sprite_sheet_holds_every_picture_in_its_place():
    pictures = np.zeros((5, 8, 8, 3), np.uint8)
    pictures[:] = 40 * np.arange(5)[:, None, None, None]
    sheet = sprite_sheet(pictures)
    data = base64.b64decode(sheet["src"].split(",")[1])
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    for index in range(5):
        row, column = divmod(index, sheet["cols"])
        centre = shown[8 * row + 4, 8 * column + 4].astype(int)
        assert np.abs(centre - 40 * index).max() < 12


def test_pictures_keep_their_pixels(rng):
    picture = rng.integers(256, size=(6, 9, 3), dtype=np.uint8)
    figure = picture_row({"one": picture, "two": picture})
    data = base64.b64decode(figure.data[1].source.split(",")[1])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), picture)


def test_a_picture_grid_puts_pictures_in_their_places(rng):
    picture = rng.integers(256, size=(6, 9, 3), dtype=np.uint8)
    panels = {(row, column): picture for row in ("one", "two") for column in "abc"}
    figure = picture_grid(panels, notes={("two", "b"): "r 0.5"})
    assert len(figure.data) == 6
    assert {"a", "r 0.5", "one"} <= {note.text for note in figure.layout.annotations}
    assert figure.layout.yaxis6.matches == "y"


def test_signed_tiles_show_each_map_on_its_own_scale():
    maps = np.zeros((3, 4, 5))
    maps[0, :2], maps[1, :2] = 1, -100
    sheet = signed_tiles(maps, columns=2)
    assert sheet.shape == (2 * 5, 2 * 6, 3)
    assert sheet[0, 0].tolist() == [0xE6, 0x9F, 0x00]
    assert sheet[0, 6].tolist() == [0x00, 0x72, 0xB2]
    assert sheet[5, 0].tolist() == [255, 255, 255]  # an empty map stays white
    assert sheet[5, 6].tolist() == [160, 160, 160]  # no map


def test_layers_of_colour_cover_a_grey_picture():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 0] = 255
    red = np.array([[1.0, 0.0], [0.5, 0.0]])
    shown = tinted(picture, {"#ff0000": red, "#0000ff": np.array([[False, True]] * 2)})
    bare = tinted(picture, {})
    assert bare[0, 0].tolist() == [round(40 + 0.75 * 0.299 * 255)] * 3  # grey
    assert (shown[:2, :2] == [255, 0, 0]).all()
    assert (shown[:, 2:] == [0, 0, 255]).all()
    tone = int(bare[0, 0, 0])
    assert shown[2, 0].tolist() == pytest.approx([(255 + tone) / 2, tone / 2, tone / 2], abs=1)
    with pytest.raises(ValueError, match="does not tile"):
        tinted(picture, {"#ff0000": np.zeros((3, 3))})


def test_a_long_title_takes_several_lines_above_its_picture():
    picture = np.zeros((4, 4, 3), np.uint8)
    figure = picture_row({"single-lens reflex, high": picture, "phone": picture})
    written = [title.text for title in figure.layout.annotations]
    assert written == ["single-lens<br>reflex, high", "phone"]


def test_notes_of_a_grid_get_a_line_each():
    panels = {(row, "one"): np.zeros((4, 4, 3), np.uint8) for row in "ab"}
    heights = [
        picture_grid(panels, notes={("b", "one"): note}).layout.height
        for note in ("", "r 1", "r 1<br>R² 2")
    ]
    assert np.diff(heights).tolist() == [0, 32]  # in both rows


def test_long_titles_of_a_grid_are_broken_and_have_room(rng):
    picture = rng.integers(256, size=(6, 6, 3), dtype=np.uint8)
    names = ["target network", "masked, ranked without the term", "masked, ranked with it", "last"]
    figure = picture_grid(
        {(row, name): picture for row in "ab" for name in names}, notes={("a", names[1]): "9 dB"}
    )
    written = [note.text.split("<br>") for note in figure.layout.annotations]
    assert max(len(line) for lines in written for line in lines) <= 20
    assert ["masked, ranked", "without the term", "9 dB"] in written
    assert figure.layout.margin.t >= 3 * 16
