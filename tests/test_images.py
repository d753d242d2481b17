import numpy as np
import pytest
import torch
from PIL import Image

from srlab.images import (
    center_crop,
    check_images,
    crop,
    crop_to_multiple,
    image_from_array,
    image_to_array,
    luma,
    read_image,
)

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def saved(picture, path, **options):
    picture.save(path, **options)
    return read_image(path)


def test_eight_bit_arrays_survive_the_round_trip():
    np.testing.assert_array_equal(image_to_array(image_from_array(COLOUR)), COLOUR)


def test_grey_is_repeated_to_three_channels():
    image = image_from_array(GREY)
    assert image.shape == (3, 5, 7)
    assert torch.equal(image[0], image[1])
    assert torch.equal(image[0], torch.from_numpy(GREY / np.float32(255)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", np.bool_, np.float32, np.float64])
def test_the_brightest_value_of_every_type_is_one(dtype):
    dtype = np.dtype(dtype)
    white = np.iinfo(dtype).max if dtype.kind == "u" else 1
    image = image_from_array(np.full((2, 2), white, dtype))
    assert image.dtype == torch.float32
    assert (image == 1).all()


def test_alpha_is_laid_over_white():
    rgba = np.dstack([COLOUR, np.full(GREY.shape, 51, np.uint8)])  # 51 / 255 = 0.2
    expected = 0.2 * image_from_array(COLOUR) + 0.8
    torch.testing.assert_close(image_from_array(rgba), expected)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 5)), "H, W, 1..4"),
        (np.zeros((0, 2, 3)), "H, W, 1..4"),
        (np.zeros((2, 2), np.int64), "int64"),
        (np.full((2, 2), 200.0), "divide by 255"),
        (np.full((2, 2), np.nan), "NaN"),
    ],
)
def test_arrays_that_are_no_images_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        image_from_array(array)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_lossless_files_are_read_exactly(tmp_path, suffix):
    image = saved(Image.fromarray(COLOUR), tmp_path / f"a.{suffix}", lossless=True)
    np.testing.assert_array_equal(image_to_array(image), COLOUR)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_keeps_its_depth(tmp_path, suffix):
    values = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)
    image = saved(Image.fromarray(values), tmp_path / f"a.{suffix}")
    torch.testing.assert_close(image[0], torch.from_numpy(values / np.float32(65535)))


def test_integers_of_more_than_sixteen_bits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="32-bit"):
        saved(Image.fromarray(np.full((2, 2), 70_000, np.int32)), tmp_path / "a.tif")


def test_palette_pictures_are_looked_up(tmp_path):
    palette = Image.fromarray(COLOUR).quantize(256)
    image = saved(palette, tmp_path / "a.png")
    np.testing.assert_array_equal(image_to_array(image), np.asarray(palette.convert("RGB")))


def test_transparent_palette_entries_become_white(tmp_path):
    palette = Image.fromarray(COLOUR).quantize(8)
    index = palette.getpixel((0, 0))
    image = saved(palette, tmp_path / "a.png", transparency=index)
    assert (image[:, 0, 0] == 1).all()


def test_bilevel_and_float_pictures_are_read(tmp_path):
    assert set(saved(Image.fromarray(GREY > 99), tmp_path / "a.png").unique().tolist()) == {0, 1}
    values = RNG.random((4, 4), np.float32)
    image = saved(Image.fromarray(values), tmp_path / "a.tif")
    torch.testing.assert_close(image[0], torch.from_numpy(values))


def test_pictures_are_turned_as_the_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter to see it upright
    image = saved(Image.fromarray(COLOUR), tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(image_to_array(image), np.rot90(COLOUR, -1))


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        read_image(tmp_path / "nothing.png")
    text = tmp_path / "text.png"
    text.write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png is not a readable picture"):
        read_image(text)
    noise = RNG.integers(0, 256, (200, 200, 3), dtype=np.uint8)  # its data fill several chunks
    Image.fromarray(noise).save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    second = data.index(b"IDAT", data.index(b"IDAT") + 1)
    damaged = {"cut": data[:second], "bent": data[:second] + b"\0" + data[second + 1 :]}
    for name, content in damaged.items():
        (tmp_path / f"{name}.png").write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}.png is not a readable picture"):
            read_image(tmp_path / f"{name}.png")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(4, 4), "shape"),
        (torch.zeros(1, 1, 4, 4), "shape"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), "divide by 255"),
        (torch.full((3, 4, 4), 128.0), "divide by 255"),
    ],
)
def test_tensors_that_are_no_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images)


def test_luma_of_black_and_white_spans_the_studio_range():
    extremes = torch.stack([torch.zeros(3, 1, 1), torch.ones(3, 1, 1)])
    torch.testing.assert_close(luma(extremes).flatten() * 255, torch.tensor([16.0, 235.0]))
    assert luma(torch.rand(2, 3, 4, 5)).shape == (2, 1, 4, 5)


def test_crops():
    image = torch.arange(3 * 7 * 9.0).reshape(3, 7, 9)
    assert torch.equal(crop(image, 2, 3, 4, 5), image[:, 2:6, 3:8])
    assert crop_to_multiple(image, 4).shape == (3, 4, 8)
    assert torch.equal(center_crop(image, 3), image[:, 2:5, 3:6])
    for place in [(-1, 0, 2, 2), (0, 8, 2, 2), (6, 0, 2, 2)]:
        with pytest.raises(ValueError, match="leaves the 7×9 image"):
            crop(image, *place)
    with pytest.raises(ValueError, match="multiple of 8"):
        crop_to_multiple(image, 8)
    with pytest.raises(ValueError, match="leaves"):
        center_crop(image, 8)
