"""Every run whose weights ship, as values: two findings' networks differ in one visible line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from srlab.checkpoints.files import not_default
from srlab.degradations.pipeline import DegradationSpace

PRISTINE = ("bsd397", "general100", "div2k-small")  # 577 pictures, none of them in a test set
CLEAN = DegradationSpace(scale=4)  # bicubic reduction alone
# A camera's everyday faults, after the "mild" track of NTIRE 2018: blur, noise, a shifted grid.
MILD = DegradationSpace(
    scale=4,
    blur_sigma=(2.0, 4.0),
    anisotropic=True,
    noise_sigma=(8 / 255, 12 / 255),
    shift=4.0,
)


@dataclass(frozen=True)
class Recipe:
    """One supervised run with L1 loss. A variant is `replace(recipe, …)`."""

    architecture: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    image_sets: tuple[str, ...] = PRISTINE
    space: DegradationSpace = CLEAN
    lr_size: int = 16  # side of an LR training patch, pixels
    batch_size: int = 16
    steps: int = 6000
    learning_rate: float = 8e-4  # peak of one cosine cycle, Adam (0.9, 0.99)
    # Of the convolutions; weights, input, output and loss are float32. "auto": bfloat16 where the
    # device computes in it; a checkpoint's header says what it was.
    precision: str = "auto"
    seed: int = 0
    snapshots: tuple[int, ...] = ()  # steps whose weights are kept besides the last
    start: dict[str, str] = field(default_factory=dict)  # part of the network → checkpoint
    # Of a shipped weight: 16 where 8 would move the PSNR by more than 0.03 dB (without a global
    # residual or with very few weights), and where networks are compared weight by weight.
    bits: int = 8

    def __post_init__(self) -> None:
        for name in ("lr_size", "batch_size", "steps", "learning_rate"):
            if not 0 < getattr(self, name, 1) < float("inf"):
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.bits not in (8, 16):
            raise ValueError(f"bits are 8 or 16, got {self.bits}")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision is auto, float32 or bfloat16, got {self.precision!r}")
        late = [step for step in self.snapshots if not 0 < step < self.steps]
        if late:
            raise ValueError(f"snapshots lie between 1 and {self.steps - 1}, got {late}")

    @property
    def partial(self) -> bool:
        """Whether a step may leave some of the weights that are trained without a gradient."""
        return False

    @property
    def validation_set(self) -> str:
        """The pictures that it is judged on, and never learns from."""
        return "photographs"

    def as_dict(self) -> dict[str, Any]:
        """As a checkpoint's header keeps it, without defaults; `recipe_from` reads it."""
        return {"type": type(self).__name__, **not_default(self)}

    def seeded(self, seed: int) -> "Recipe":
        """The same run from another initialization and another order of the data."""
        return replace(self, seed=seed)


@dataclass(frozen=True)
class AdversarialRecipe(Recipe):
    """The same with a critic and a perceptual loss; the running average of the weights is kept."""

    pixel_weight: float = 0.05
    perceptual_weight: float = 0.3
    adversarial_weight: float = 0.5
    perceptual_network: str = "resnet18-cifar10"
    perceptual_layers: tuple[str, ...] = ("conv2_x", "conv3_x")
    critic_channels: int = 32
    critic_learning_rate: float = 4e-4
    average: float = 0.995  # how much of the average a step keeps


@dataclass(frozen=True)
class UnpairedRecipe(Recipe):
    """CinCGAN: two cycles without pairs. `space` is the degradation that is to be undone."""

    inner_adversarial_weight: float = 1.0
    outer_adversarial_weight: float = 0.02  # an eager outer critic makes it forget the content
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    smoothness_weight: float = 0.5
    partner_channels: int = 24  # of the generators back and of the critics


@dataclass(frozen=True)
class ClassificationRecipe(Recipe):
    """Cross entropy on labelled pictures; `space` and `lr_size` have no say."""

    image_sets: tuple[str, ...] = ("cifar10-train",)
    batch_size: int = 64
    learning_rate: float = 0.1  # peak of one cosine cycle
    optimizer: str = "sgd"  # with momentum 0.9; or "adam", for a network without normalization

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.optimizer not in ("sgd", "adam"):
            raise ValueError(f"optimizer is sgd or adam, got {self.optimizer!r}")

    @property
    def validation_set(self) -> str:
        """CIFAR-10's test pictures; where it learns from left halves, the right ones."""
        left = [name.removesuffix("-left") for name in self.image_sets if name.endswith("-left")]
        return "+".join(f"{name}-right" for name in left) or "cifar10-test"


RANKINGS = ("faig", "influence", "change", "random")


@dataclass(frozen=True)
class FilterRecipe(Recipe):
    """Only the filters that a ranking finds are trained; all else stays as it starts (FAIG).

    `space` is what they are trained on. They are found on what the target was trained on.
    """

    target: str = "faig-target"  # the network whose filters are ranked, beside the start's
    ranking: str = "faig"
    purpose: str = "blur"  # what the filters are to undo; or "noise"
    fraction: float = 0.01  # of all filters
    examples: int = 24  # training pictures that the ranking looks at
    bits: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ranking not in RANKINGS:
            raise ValueError(f"ranking is one of {', '.join(RANKINGS)}, got {self.ranking!r}")
        if self.purpose not in ("blur", "noise"):
            raise ValueError(f'purpose is "blur" or "noise", got {self.purpose!r}')


@dataclass(frozen=True)
class CodeRecipe(Recipe):
    """A blind network learns codes from pairs of crops: 2·batch_size crops a step."""

    restored_size: int = 24  # side of the middle of an LR crop that is super-resolved
    energy_weight: float = 0.0  # of the energy distance between codes and prior
    prior: str = "gaussian"
    prior_rise: int = 0  # steps until the prior has its full weight

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.restored_size <= self.lr_size or (self.lr_size - self.restored_size) % 2:
            raise ValueError(
                f"restored_size is at most lr_size, {self.lr_size}, and even or odd with it, "
                f"got {self.restored_size}"
            )


@dataclass(frozen=True)
class RedegradationRecipe(CodeRecipe):
    """ReDSR: what a code says must degrade another crop alike (Tab. 2 turns parts on and off)."""

    redegradation_weight: float = 1.0
    divergence_weight: float = 0.0  # of the divergence from a Gaussian, in the prior's place
    reconstruction_weight: float = 1.0
    modulated: bool = True  # reconstruction counts more where the code reproduces well
    degrader_channels: int = 48
    degrader_blocks: int = 3

    @property
    def partial(self) -> bool:
        """Degrader or generator rest where their loss counts nothing."""
        return not (self.redegradation_weight and self.reconstruction_weight)


@dataclass(frozen=True)
class ContrastiveRecipe(CodeRecipe):
    """DASR: contrast between degradations, alone for the first steps."""

    pretraining: int = 1000  # steps before the generator learns
    contrast_weight: float = 1.0
    queue: int = 8192  # keys of earlier batches
    momentum: float = 0.999
    temperature: float = 0.07

    @property
    def partial(self) -> bool:
        """The generator rests at first."""
        return self.pretraining > 0


TYPES = {
    kind.__name__: kind
    for kind in (
        Recipe,
        AdversarialRecipe,
        UnpairedRecipe,
        ClassificationRecipe,
        FilterRecipe,
        CodeRecipe,
        RedegradationRecipe,
        ContrastiveRecipe,
    )
}


def recipe_from(header: Mapping[str, Any]) -> Recipe:
    """The recipe in a checkpoint's header (`provenance.recipe`), after JSON too."""
    values = _tupled(header)
    kind = TYPES[values.pop("type")]
    if "space" in values:
        values["space"] = DegradationSpace(**_tupled(values["space"]))
    return kind(**values)


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(own) if isinstance(own, list) else own for key, own in values.items()}


def seed_names(name: str, seeds: Iterable[int]) -> list[str]:
    """The names of a recipe's training seeds: ["srresnet-gr", "srresnet-gr-s1", …]."""
    return [name if seed == 0 else f"{name}-s{seed}" for seed in seeds]


EVOLUTION = (100, 250, 500, 1000, 1750, 2500, 4000)

# lab: narrow networks, minutes on one CPU core. DDR trains 64 channels for 600 000 steps.
SRRESNET_GR = Recipe(
    "srresnet",
    {"scale": 4, "channels": 32, "num_blocks": 16, "global_residual": True},
    snapshots=EVOLUTION,
)
SRRESNET_WOGR = replace(
    SRRESNET_GR,
    hyperparameters={**SRRESNET_GR.hyperparameters, "global_residual": False},
    bits=16,
)
# The third of three: no skip around the body, one for the image, or one for the features.
SRRESNET_SKIP = replace(
    SRRESNET_WOGR, hyperparameters={**SRRESNET_WOGR.hyperparameters, "long_skip": True}
)
SRCNN_3 = Recipe("srcnn", {"scale": 4, "depth": 3}, steps=4000, learning_rate=5e-4, bits=16)
SRCNN_DEPTHS = (3, 5, 7, 9, 11, 13)


def _deep_srcnn(depth: int) -> Recipe:
    """SRCNN with a global residual, narrow because it works on the HR grid (DDR, Sec. A.7)."""
    widths = {"channels": 32, "mapping_channels": 16}
    hyperparameters = {"scale": 4, "depth": depth, **widths, "global_residual": True}
    return Recipe("srcnn", hyperparameters, steps=4000, learning_rate=5e-4)


# Degraded training pictures (DDR, Sec. 4.6). Blur widths are in HR pixels: 16 there is 4 in LR.
SRRESNET_NOISE = replace(
    SRRESNET_GR,
    space=DegradationSpace(scale=4, noise_sigma=(20 / 255, 20 / 255), noise_probability=0.5),
    steps=4000,
    snapshots=(),
)
SRRESNET_NOISE_WOGR = replace(SRRESNET_NOISE, hyperparameters=SRRESNET_WOGR.hyperparameters)
SRRESNET_BLUR = replace(
    SRRESNET_NOISE,
    space=DegradationSpace(scale=4, blur_sigma=(16.0, 16.0), blur_probability=0.5),
)
SRRESNET_BLIND = replace(
    SRRESNET_NOISE,
    space=DegradationSpace(
        scale=4,
        blur_sigma=(0.0, 16.0),
        blur_probability=0.5,
        noise_sigma=(0.0, 25 / 255),
        noise_probability=0.5,
    ),
)
FSRCNN_LAB = Recipe("fsrcnn", {"scale": 4}, steps=10_000, learning_rate=1e-3, bits=16)

# A frozen SRResNet trained on clean pictures guides a blind one (DDR, Sec. 5).
SRRESNET_GUIDED = replace(
    SRRESNET_BLIND,
    architecture="guided-srresnet",
    hyperparameters={
        "scale": 4,
        "channels": 32,
        "num_blocks": 16,
        "guide_channels": 32,
        "guide_blocks": 16,
    },
    start={"guide": "srresnet-gr"},
)


def _srgan(kind: str, seed: int) -> AdversarialRecipe:
    """SRGAN goes on from the network that the pixel loss alone made."""
    return AdversarialRecipe(
        "srresnet",
        {"scale": 4, "channels": 32, "num_blocks": 16, "global_residual": kind != "wogr"},
        space=SRRESNET_NOISE.space if kind == "noise" else CLEAN,
        batch_size=8,
        steps=5000,
        learning_rate=1e-3,
        seed=seed,
        start={"": seed_names(f"srresnet-{kind}", [seed])[0]},
        bits=16 if kind == "wogr" else 8,
    )


RESNET18_CIFAR10 = ClassificationRecipe("resnet18", {"num_classes": 10, "channels": 16}, steps=5000)
RCAN_SR = replace(
    SRRESNET_GR,
    architecture="rcan",
    hyperparameters={"scale": 4, "channels": 32, "num_blocks": 8, "global_residual": True},
    steps=4000,
    snapshots=(),
)
RCAN_CIFAR10 = ClassificationRecipe(
    "rcan-classifier",
    {"num_classes": 10, "channels": 32, "num_blocks": 8},
    batch_size=32,
    steps=4000,
    learning_rate=1.5e-3,
    optimizer="adam",
)
# As near as hours on a core come to what DDR trained: 92.86 % and, with this tail, 92.08 %.
RESNET18_CIFAR10_C32 = replace(
    RESNET18_CIFAR10, hyperparameters={"num_classes": 10, "channels": 32}, steps=15_000
)
RCAN_CIFAR10_MAXPOOL = replace(
    RCAN_CIFAR10, hyperparameters={**RCAN_CIFAR10.hyperparameters, "max_pooling": True}
)
# Which photograph is a patch from? Learnt from the left halves, judged on the right ones.
LEFT_HALVES = ("photographs-left", "textures-left")
RESNET18_PHOTOGRAPHS = ClassificationRecipe(
    "resnet18",
    {"num_classes": 9, "channels": 16},
    image_sets=LEFT_HALVES,
    batch_size=32,
    steps=150,
)
RCAN_PHOTOGRAPHS = replace(
    RCAN_CIFAR10, image_sets=LEFT_HALVES, steps=100, start={"": "rcan-cifar10"}
)
CINCGAN = UnpairedRecipe(
    "cincgan",
    {"scale": 4, "channels": 32, "num_blocks": 16, "inner_blocks": 6},
    space=MILD,
    batch_size=8,
    steps=1800,
    learning_rate=4e-4,
    start={"outer": "srresnet-gr"},
)

# Networks for local attribution maps, on equal terms. LR patches of 24 pixels, half as many as
# usual: who looks far must have something to see. Narrow, at about equal cost a step.
LAM_TERMS: dict[str, Any] = {"lr_size": 24, "batch_size": 8, "steps": 3500}
# The small FSRCNN learn slowly: with as few steps some stay below bicubic.
FSRCNN_TERMS: dict[str, Any] = {
    **LAM_TERMS,
    "steps": 10_000,
    "learning_rate": 1e-3,
    "bits": 16,
}
LAM_SIZES: dict[str, dict[str, Any]] = {
    "edsr": {"channels": 24, "num_blocks": 10},
    "carn": {"channels": 24},
    "imdn": {"channels": 28, "num_blocks": 6},
    "rfdn": {"channels": 28, "num_blocks": 4},
    "pan": {"channels": 24, "upsampler_channels": 12, "num_blocks": 12},
    "rcan": {"channels": 24, "num_groups": 2, "num_blocks": 4, "global_residual": False},
    "rrdbnet": {"channels": 16, "num_blocks": 4, "growth": 8},
    "san": {"channels": 24, "num_groups": 3, "num_blocks": 3},
    "swinir": {"channels": 24, "num_groups": 3, "num_layers": 2, "heads": 4},
}
FSRCNN_WIDTHS, FSRCNN_DEPTHS = (16, 32, 56), (1, 4, 8)
EDSR_WIDTHS, EDSR_DEPTHS = (8, 16, 32), (2, 5, 10)


def _lam(architecture: str, sizes: dict[str, Any], terms: dict[str, Any] = LAM_TERMS) -> Recipe:
    return Recipe(architecture, {"scale": 4, **sizes}, **terms)


def _lam_recipes() -> dict[str, Recipe]:
    """The zoo, and the grids of width and depth (LAM, Fig. 7c)."""
    zoo = {name: _lam(name, sizes) for name, sizes in LAM_SIZES.items()}
    for width, depth in product(FSRCNN_WIDTHS, FSRCNN_DEPTHS):
        sizes = {"channels": width, "mapping_channels": width // 4, "num_blocks": depth}
        zoo[f"fsrcnn-d{width}-m{depth}"] = _lam("fsrcnn", sizes, FSRCNN_TERMS)
    for width, depth in product(EDSR_WIDTHS, EDSR_DEPTHS):
        zoo[f"edsr-c{width}-b{depth}"] = _lam("edsr", {"channels": width, "num_blocks": depth})
    return zoo


# FAIG: a network for clean pictures, and what fine-tuning on blur and noise makes of it. Blur is in
# HR pixels. The paper: 64 channels and 100 000 steps of 5e-5 from a converged network.
FAIG_CLEAN = DegradationSpace(scale=2, resampling="bilinear")
FAIG_TWO = replace(
    FAIG_CLEAN,
    blur_sigma=(2.0, 2.0),
    blur_probability=0.5,
    noise_sigma=(0.1, 0.1),
    noise_probability=0.5,
)
# One of the two alone: the "desired degradation" of FAIG, Sec. 5.2.2.
FAIG_ALONE = {
    "blur": replace(FAIG_CLEAN, blur_sigma=(2.0, 2.0)),
    "noise": replace(FAIG_CLEAN, noise_sigma=(0.1, 0.1)),
}
FAIG_THREE = replace(FAIG_TWO, jpeg_quality=(30, 30), jpeg_probability=0.5)
FAIG_BASELINE = Recipe(
    "srresnet",
    {"scale": 2, "channels": 24, "num_blocks": 16},
    space=FAIG_CLEAN,
    lr_size=24,
    steps=4000,
    bits=16,
)
FAIG_SRCNN_BASELINE = replace(
    FAIG_BASELINE,
    architecture="srcnn-style",
    hyperparameters={"scale": 2, "channels": 32, "num_layers": 9},
)


def _fine_tuned(
    name: str, base: Recipe, space: DegradationSpace, *, steps: int = 6000, seeds: int = 3
) -> dict[str, Recipe]:
    """The targets of FAIG under `name`: each goes on from the baseline of its seed."""
    start = name.rpartition("-")[0] + "-baseline"
    return {
        target: replace(
            base, space=space, steps=steps, learning_rate=4e-4, seed=seed, start={"": own}
        )
        for seed, (target, own) in enumerate(
            zip(seed_names(name, range(seeds)), seed_names(start, range(seeds)), strict=True)
        )
    }


def _desired(kind: str, seed: int) -> dict[str, Recipe]:
    """The baseline again, on one degradation: all of it, or 1 % of its filters (FAIG, Tab. 3).

    FAIG's and IG's filters are those for this degradation and, beside them, those for the other.
    """
    terms: dict[str, Any] = {"space": FAIG_ALONE[kind], "batch_size": 8, "steps": 600}
    own = seed_names("faig-baseline", [seed])[0]
    every = replace(FAIG_BASELINE, learning_rate=4e-4, seed=seed, start={"": own}, **terms)
    one = FilterRecipe(
        FAIG_BASELINE.architecture,
        FAIG_BASELINE.hyperparameters,
        lr_size=24,
        learning_rate=2e-3,
        seed=seed,
        snapshots=(60, 200),
        start={"": own},
        target=seed_names("faig-target", [seed])[0],
        examples=12,
        **terms,
    )
    found = {
        f"{ranking}-{purpose}": replace(one, ranking=ranking, purpose=purpose)
        for ranking, purpose in product(RANKINGS[:2], FAIG_ALONE)
    } | {ranking: replace(one, ranking=ranking) for ranking in RANKINGS[2:]}
    runs: dict[str, Recipe] = {f"faig-on-{kind}": every}
    runs |= {f"faig-on-{kind}-only-{title}": chosen for title, chosen in found.items()}
    return {seed_names(name, [seed])[0]: run for name, run in runs.items()}


# One branch against two (FAIG, Tab. 1): parameters and multiply-adds equal within 10 %.
FAIG_ONE_BRANCH = replace(FAIG_BASELINE, space=FAIG_TWO, bits=8)
FAIG_DASR = replace(
    FAIG_ONE_BRANCH,
    architecture="dasr",
    hyperparameters={
        "scale": 2,
        "channels": 26,
        "num_groups": 4,
        "num_blocks": 2,
        "encoder_channels": 8,
        "code": 4,
        "reduction": 4,
        "tail_layers": 2,
        "global_residual": True,
    },
)
FAIG_DAN = replace(
    FAIG_ONE_BRANCH,
    architecture="dan",
    hyperparameters={
        "scale": 2,
        "channels": 24,
        "num_blocks": 7,
        "estimator_channels": 36,
        "code": 10,
        "iterations": 2,
    },
)

# ReDSR and DASR: blind super-resolution by a code of the degradation, ×4, kernels of 21 pixels.
# Codes want sharp training pictures and a wide view; the middle of it is enough to restore.
SHARP = ("general100", "div2k-small")
ISOTROPIC = DegradationSpace(scale=4, blur_sigma=(0.2, 4.0), kernel_size=21)
GENERAL = replace(ISOTROPIC, anisotropic=True, noise_sigma=(0.0, 25 / 255))
CODE_EVOLUTION = (250, 500, 1000, 1750, 2500)
CODE_TERMS: dict[str, Any] = {
    "image_sets": SHARP,
    "space": ISOTROPIC,
    "lr_size": 48,
    "batch_size": 8,
    "steps": 4000,
}
REDSR = RedegradationRecipe(
    "redsr",
    {
        "scale": 4,
        "channels": 24,
        "num_groups": 3,
        "num_blocks": 2,
        "encoder_channels": 24,
        "code": 32,
        "tail_layers": 2,
        "global_residual": True,
    },
    energy_weight=0.001,
    prior_rise=2000,
    degrader_channels=32,
    snapshots=CODE_EVOLUTION,
    **CODE_TERMS,
)


def _ablation() -> dict[str, RedegradationRecipe]:
    """ReDSR, Tab. 2: which loss makes the codes? Model 8 is the whole method."""
    parts_off: dict[str, Any] = {
        "redegradation_weight": 0.0,
        "energy_weight": 0.0,
        "modulated": False,
        "prior_rise": 0,
    }
    plain = replace(REDSR, modulated=False)
    oracle = {**REDSR.hyperparameters, "oracle": True}
    return {
        "redsr-1": replace(REDSR, **parts_off),
        "redsr-2": replace(plain, energy_weight=0.0, prior_rise=0),
        "redsr-3": replace(plain, redegradation_weight=0.0),
        "redsr-4": plain,
        "redsr-5": replace(plain, prior="uniform"),
        "redsr-6": replace(plain, prior="exponential"),
        "redsr-7": replace(plain, energy_weight=0.0, divergence_weight=0.001),
        "redsr-8": REDSR,
        "redsr-9": replace(REDSR, hyperparameters=oracle, **parts_off),
    }


TABLED_WITH_SEEDS = ("redsr-1", "redsr-2", "redsr-3", "redsr-4", "redsr-8")
DASR_LAB = ContrastiveRecipe(
    "dasr",
    {
        "scale": 4,
        "channels": 24,
        "num_groups": 3,
        "num_blocks": 2,
        "encoder_channels": 16,
        "code": 32,
        "tail_layers": 2,
        "global_residual": True,
    },
    queue=1024,
    momentum=0.99,
    snapshots=CODE_EVOLUTION,
    **CODE_TERMS,
)
# As many restored pixels a step, without codes.
BLIND_ONE_BRANCH = replace(
    FAIG_BASELINE,
    hyperparameters={"scale": 4, "channels": 24, "num_blocks": 16},
    **{**CODE_TERMS, "lr_size": REDSR.restored_size, "bits": 8},
)

# paper: the published sizes and schedules, for a GPU.
PAPER: dict[str, Any] = {"lr_size": 32, "batch_size": 16, "steps": 600_000, "learning_rate": 2e-4}
SRRESNET_GR_PAPER = replace(
    SRRESNET_GR, hyperparameters={**SRRESNET_GR.hyperparameters, "channels": 64}, **PAPER
)
SRRESNET_WOGR_PAPER = replace(
    SRRESNET_GR_PAPER,
    hyperparameters={**SRRESNET_GR_PAPER.hyperparameters, "global_residual": False},
)
REDSR_PAPER = RedegradationRecipe(
    "redsr",
    {"scale": 4},
    image_sets=SHARP,
    space=ISOTROPIC,
    lr_size=64,
    restored_size=64,
    batch_size=16,
    steps=250_000,
    learning_rate=1e-4,
    energy_weight=0.01,
    degrader_channels=64,
    snapshots=(1000, 5000, 25_000, 100_000),
)
DASR_PAPER = ContrastiveRecipe(
    "dasr",
    {"scale": 4},
    image_sets=SHARP,
    space=ISOTROPIC,
    lr_size=48,
    restored_size=48,
    batch_size=32,
    steps=250_000,
    learning_rate=1e-4,
    pretraining=40_000,
)


def _seeds(name: str, base: Recipe, count: int = 3) -> dict[str, Recipe]:
    """The recipe under `name`, and with further seeds under `name-s1`, `name-s2`."""
    return {name: base} | {f"{name}-s{seed}": base.seeded(seed) for seed in range(1, count)}


RECIPES: dict[str, Recipe] = {
    **_seeds("srresnet-gr", SRRESNET_GR),
    **_seeds("srresnet-wogr", SRRESNET_WOGR),
    **_seeds("srresnet-skip", SRRESNET_SKIP),
    **_seeds("srresnet-noise", SRRESNET_NOISE),
    "srresnet-noise-wogr": SRRESNET_NOISE_WOGR,
    **_seeds("srresnet-blur", SRRESNET_BLUR),
    **_seeds("srresnet-blind", SRRESNET_BLIND),
    **{f"srcnn-{depth}-gr": _deep_srcnn(depth) for depth in SRCNN_DEPTHS},
    **_seeds("srresnet-guided", SRRESNET_GUIDED),
    **{
        seed_names(f"srgan-{kind}", [seed])[0]: _srgan(kind, seed)
        for kind in ("gr", "wogr", "noise")
        for seed in range(3)
    },
    "resnet18-cifar10": RESNET18_CIFAR10,
    "rcan-sr": RCAN_SR,
    "rcan-cifar10": RCAN_CIFAR10,
    "resnet18-cifar10-c32": RESNET18_CIFAR10_C32,
    "rcan-cifar10-maxpool": RCAN_CIFAR10_MAXPOOL,
    **_seeds("resnet18-photographs", RESNET18_PHOTOGRAPHS),
    "rcan-photographs": RCAN_PHOTOGRAPHS,
    "cincgan": CINCGAN,
    "srcnn-3": SRCNN_3,
    "fsrcnn": FSRCNN_LAB,
    **_lam_recipes(),
    **_seeds("faig-baseline", FAIG_BASELINE),
    **_fine_tuned("faig-target", FAIG_BASELINE, FAIG_TWO),
    **_fine_tuned("faig-three", FAIG_BASELINE, FAIG_THREE, steps=4500),
    "faig-srcnn-baseline": FAIG_SRCNN_BASELINE,
    **_fine_tuned("faig-srcnn-target", FAIG_SRCNN_BASELINE, FAIG_TWO, seeds=1),
    **{
        name: own
        for seed, kind in product(range(3), FAIG_ALONE)
        for name, own in _desired(kind, seed).items()
    },
    **_seeds("faig-one-branch", FAIG_ONE_BRANCH),
    **_seeds("faig-dasr", FAIG_DASR),
    **_seeds("faig-dan", FAIG_DAN),
    **{
        name: seeded
        for model, base in _ablation().items()
        for name, seeded in _seeds(model, base, 3 if model in TABLED_WITH_SEEDS else 1).items()
    },
    "redsr-general": replace(REDSR, space=GENERAL),
    **_seeds("dasr", DASR_LAB),
    "dasr-ed": replace(DASR_LAB, energy_weight=0.01, prior_rise=2000),
    "dasr-general": replace(DASR_LAB, space=GENERAL),
    **_seeds("blind-one-branch", BLIND_ONE_BRANCH),
    "redsr-paper": REDSR_PAPER,
    "dasr-paper": DASR_PAPER,
    "srresnet-gr-paper": SRRESNET_GR_PAPER,
    "srresnet-wogr-paper": SRRESNET_WOGR_PAPER,
}


def recipe(name: str) -> Recipe:
    """The recipe of that name; one that starts anew has any further seed, "fsrcnn-s7"."""
    base, _, seed = name.rpartition("-s")
    if name not in RECIPES and base in RECIPES and seed.isdecimal() and not RECIPES[base].start:
        return RECIPES[base].seeded(int(seed))
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; srlab has {', '.join(RECIPES)}")
    return RECIPES[name]
