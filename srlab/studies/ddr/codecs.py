"""JPEG2000, and what a picture looks like when a part of its stream is lost on the way."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from srlab.images import image_from_array, image_to_array

SENT_RATIO = 9.6  # 2.5 bits a pixel, as LIVE sent its pictures
DATA_STARTS = b"\xff\x93"  # the marker in front of the packets


def jpeg2000(images: Tensor, ratio: float) -> Tensor:
    """Compress each image (B, 3, H, W) to 1/ratio of its 8-bit size, and decompress it."""
    if not 1 <= ratio <= 1000:
        raise ValueError(f"a JPEG2000 ratio lies between 1 and 1000, got {ratio}")
    return torch.stack([_decoded(_stream(image, ratio)) for image in images]).to(images)


def fast_fading(images: Tensor, received: float) -> Tensor:
    """Send each image (B, 3, H, W) as JPEG2000, and receive only that share of its packets.

    A simulation of LIVE's fading channel: resolution by resolution the stream arrives, then falls
    silent. Some regions keep their detail, some lose it, one is left in disorder.
    """
    if not 0 < received <= 1:
        raise ValueError(f"the share of packets received lies in (0, 1], got {received}")
    sent = [_stream(image, SENT_RATIO) for image in images]
    return torch.stack([_decoded(_silenced(stream, received)) for stream in sent]).to(images)


def _stream(image: Tensor, ratio: float) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(image_to_array(image)).save(
        memory,
        "JPEG2000",
        irreversible=True,
        no_jp2=True,
        quality_mode="rates",
        quality_layers=[ratio],
        progression="RPCL",
        precinct_size=(64, 64),
        codeblock_size=(32, 32),
    )
    return memory.getvalue()


def _silenced(stream: bytes, received: float) -> bytes:
    """Zeros in place of the last packets; the end marker stays."""
    start, end = stream.index(DATA_STARTS) + len(DATA_STARTS), len(stream) - 2
    lost = start + round(received * (end - start))
    return stream[:lost] + bytes(end - lost) + stream[end:]


def _decoded(stream: bytes) -> Tensor:
    with Image.open(io.BytesIO(stream)) as picture:
        return image_from_array(np.asarray(picture.convert("RGB")))
