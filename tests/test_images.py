import struct

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


def test_a_batch_is_shown_as_its_images_are():
    images = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0)) * 3 - 1
    np.testing.assert_array_equal(
        image_to_array(images), np.stack([image_to_array(image) for image in images])
    )


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


KINDS = {"u": 1, "i": 2, "f": 3}  # of a sample, in TIFF's numbers
BLACK_IS_ZERO, WHITE_IS_ZERO, RGB = 1, 0, 2
LISTS = 16  # bytes behind the directory: of two lists, for up to four channels


def tiff(path, values, photometric=BLACK_IS_ZERO, bits=None, **more):
    """Uncompressed, written by hand, as Pillow cannot: (H, W) or (H, W, C); tags as t284=2."""
    height, width, channels = (*values.shape, 1)[:3]
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    tags = {256: [width], 257: [height], 258: [bits or 8 * values.itemsize] * channels, 259: [1]}
    tags |= {262: [photometric], 273: [0], 277: [channels], 278: [height], 279: [len(data)]}
    tags |= {339: [KINDS[values.dtype.kind]] * channels}
    tags |= {int(name[1:]): [value] for name, value in more.items()}
    start = 8 + 2 + 12 * len(tags) + 4
    behind = b""
    directory = struct.pack("<H", len(tags))
    for tag, entries in sorted(tags.items()):
        packed = struct.pack(f"<{len(entries)}H", *entries)
        if tag == 273:
            packed = struct.pack("<H", start + LISTS)
        if len(packed) > 4:
            packed, behind = struct.pack("<I", start + len(behind)), behind + packed
        directory += struct.pack("<HHI", tag, 3, len(entries)) + packed.ljust(4, b"\0")
    behind = behind.ljust(LISTS, b"\0")
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + behind + data)
    return path


DEEP = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
DARK = torch.from_numpy(DEEP / np.float32(65535))


@pytest.mark.parametrize(
    "values", [DEEP, (DEEP >> 8).astype(np.uint8), (DEEP / 65535).astype(np.float32)]
)
@pytest.mark.parametrize(("zero", "shown"), [(BLACK_IS_ZERO, DARK), (WHITE_IS_ZERO, 1 - DARK)])
def test_white_is_what_the_file_says_it_is(tmp_path, values, zero, shown):
    image = read_image(tiff(tmp_path / "a.tif", values, photometric=zero))
    torch.testing.assert_close(image[1], shown, atol=1 / 255, rtol=0)


def test_twelve_bits_span_the_whole_range(tmp_path):
    values = np.arange(64).reshape(8, 8) * 65
    first, second = values[:, ::2], values[:, 1::2]  # two values in three bytes
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], -1)
    path = tiff(tmp_path / "a.tif", packed.reshape(8, 12).astype(np.uint8), bits=12, t256=8)
    expected = torch.from_numpy(values.astype(np.float32) / 4095)
    torch.testing.assert_close(read_image(path)[0], expected)


def test_deep_colour_is_read_with_eight_bits(tmp_path):
    rgb = np.dstack([DEEP, DEEP // 2, DEEP // 4])
    image = read_image(tiff(tmp_path / "a.tif", rgb, RGB))
    expected = torch.from_numpy(rgb.transpose(2, 0, 1) / np.float32(65535))
    torch.testing.assert_close(image, expected, atol=1 / 255, rtol=0)


def test_inks_are_turned_into_light(tmp_path):
    inks = Image.fromarray(COLOUR).convert("CMYK")
    for name in ("a.tif", "a.jpg"):
        image = saved(inks, tmp_path / name, **({"quality": 100} if name == "a.jpg" else {}))
        np.testing.assert_allclose(image_to_array(image), np.asarray(inks.convert("RGB")), atol=9)


def test_what_was_multiplied_by_its_alpha_is_laid_over_white(tmp_path):
    grey, alpha = (DEEP >> 9).astype(np.uint8), np.full((8, 8), 128, np.uint8)
    path = tiff(tmp_path / "a.tif", np.dstack([grey, alpha]), t338=1)
    expected = torch.from_numpy(grey / np.float32(255)) + 1 - 128 / 255
    torch.testing.assert_close(read_image(path)[0], expected, atol=1 / 255, rtol=0)


def test_a_transparent_grey_of_sixteen_bits_becomes_white(tmp_path):
    image = saved(Image.fromarray(DEEP), tmp_path / "a.png", transparency=1024)
    expected = DARK.clone()
    expected[0, 1] = 1
    torch.testing.assert_close(image[0], expected)


@pytest.mark.parametrize(
    ("values", "tags", "message"),
    [
        (DEEP.astype(np.uint32), {}, "32-bit integers"),
        (DEEP.astype(np.int16) // 4, {}, "signed 16-bit integers"),
        (np.full((4, 4), -3, np.int8), {}, "signed 8-bit integers"),
        (np.dstack([DEEP] * 3), {"photometric": RGB, "t284": 2}, "separate planes"),
        (np.full((4, 4), 200, np.float32), {}, r"in \[0, 1\], got \[200, 200\]"),
        (np.zeros((4, 4)), {}, "a TIFF of a sort that Pillow does not read"),
        (np.zeros((4, 4, 3), np.float32), {"photometric": RGB}, "a TIFF of a sort that Pillow"),
    ],
)
def test_other_tiffs_are_refused_rather_than_misread(tmp_path, values, tags, message):
    path = tiff(tmp_path / "odd.tif", values, **tags)
    with pytest.raises(ValueError, match=rf"odd\.tif is not a readable picture: .*{message}"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html><body>Not Found</body></html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "it is a pointer of git LFS"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "it is a note that macOS keeps"),
        (b"", "it is empty"),
        (b"\0\0\0\x18ftypheic", "it is a HEIC picture"),
        (b"P5 4", "EOF"),
        (b"P1 30000 30000\n0", "exceeds limit"),
    ],
)
def test_what_is_no_picture_is_told_as_what_it_is(tmp_path, content, message):
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"odd\.png is not a readable picture: .*{message}"):
        read_image(path)


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
