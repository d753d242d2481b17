"""The networks, and the contract that each of them keeps.

A model maps LR images (B, 3, h, w), RGB in [0, 1], float32 or float64 (bfloat16 by autocast), on
any device, any h and w from 8 up, to SR images (B, 3, scale·h, scale·w), not clamped. It never
changes its input or a feature in place, holds no state of the batch, and names its own `taps`: the
layers worth looking at, shallow to deep. Constructors take keywords only, which travel with the
weights (`srlab.checkpoints`). Classifiers map pictures to logits (B, classes) and name taps too.
"""

from torch import nn

from srlab.models.carn import CARN
from srlab.models.cincgan import CinCGAN
from srlab.models.csnln import CSNLN
from srlab.models.dan import DAN
from srlab.models.dasr import DASR
from srlab.models.dbpn import DBPN
from srlab.models.discriminator import PatchDiscriminator
from srlab.models.drln import DRLN
from srlab.models.edsr import EDSR
from srlab.models.fsrcnn import FSRCNN
from srlab.models.guided import GuidedSRResNet
from srlab.models.imdn import IMDN
from srlab.models.lapsrn import LapSRN
from srlab.models.msrn import MSRN
from srlab.models.pan import PAN
from srlab.models.rcan import RCAN, RCANClassifier
from srlab.models.rdn import RDN
from srlab.models.redsr import ReDSR
from srlab.models.resnet18 import ResNet18
from srlab.models.resshift import ResShift
from srlab.models.rfdn import RFDN
from srlab.models.rnan import RNAN
from srlab.models.rrdbnet import RRDBNet
from srlab.models.san import SAN
from srlab.models.srcnn import SRCNN
from srlab.models.srcnn_style import SRCNNStyle
from srlab.models.srresnet import SRResNet
from srlab.models.srresnet_bn import SRResNetBN
from srlab.models.srvgg import SRVGG
from srlab.models.swinir import SwinIR

MODELS: dict[str, type[nn.Module]] = {
    "srresnet": SRResNet,
    "srresnet-bn": SRResNetBN,
    "srcnn": SRCNN,
    "srcnn-style": SRCNNStyle,
    "fsrcnn": FSRCNN,
    "lapsrn": LapSRN,
    "dbpn": DBPN,
    "rdn": RDN,
    "rcan": RCAN,
    "edsr": EDSR,
    "carn": CARN,
    "msrn": MSRN,
    "imdn": IMDN,
    "rfdn": RFDN,
    "pan": PAN,
    "rrdbnet": RRDBNet,
    "srvgg": SRVGG,
    "san": SAN,
    "rnan": RNAN,
    "csnln": CSNLN,
    "drln": DRLN,
    "swinir": SwinIR,
    "guided-srresnet": GuidedSRResNet,
    "cincgan": CinCGAN,
    "dasr": DASR,
    "dan": DAN,
    "redsr": ReDSR,
    "resshift": ResShift,
}
CLASSIFIERS: dict[str, type[nn.Module]] = {"resnet18": ResNet18, "rcan-classifier": RCANClassifier}


def build(name: str, **hyperparameters: object) -> nn.Module:
    """A freshly initialized network by name: `build("srresnet", channels=32)`."""
    known = MODELS | CLASSIFIERS
    if name not in known:
        raise ValueError(f"unknown model {name!r}; srlab has {', '.join(sorted(known))}")
    small = [key for key, value in hyperparameters.items() if type(value) is int and value < 1]
    if small:
        raise ValueError(f"{', '.join(small)} of {name} must be at least 1, got {hyperparameters}")
    try:
        return known[name](**hyperparameters)
    except TypeError as error:
        raise ValueError(f"{known[name].__name__} does not take these settings: {error}") from error
