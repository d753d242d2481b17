"""A run as a value, and what differs from kind to kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from srlab.checkpoints.files import not_default
from srlab.degradations.pipeline import DegradationSpace
from srlab.training.code_losses import PRIORS
from srlab.training.descent import OPTIMIZERS

PRISTINE = ("bsd397", "general100", "div2k-small")  # 577 pictures, none of them in a test set
CLEAN = DegradationSpace(scale=4)  # bicubic reduction alone
RANKINGS = ("faig", "influence", "change", "random")
CHOICES: dict[str, tuple[Any, ...]] = {
    "bits": (8, 16),
    "precision": ("auto", "float32", "bfloat16"),
    "optimizer": tuple(OPTIMIZERS),
    "ranking": RANKINGS,
    "purpose": ("blur", "noise"),
    "prior": tuple(PRIORS),
}


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
    learning_rate: float = 8e-4  # peak of a cosine cycle, Adam (0.9, 0.99)
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
        for name, choices in CHOICES.items():
            if (given := getattr(self, name, choices[0])) not in choices:
                raise ValueError(f"{name} is one of {', '.join(map(str, choices))}, got {given!r}")
        late = [step for step in self.snapshots if not 0 < step < self.steps]
        if late:
            raise ValueError(f"snapshots lie between 1 and {self.steps - 1}, got {late}")

    @property
    def cycles(self) -> tuple[int, ...]:
        """Steps of each cosine cycle of the rate."""
        return (self.steps,)

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
class DiffusionRecipe(Recipe):
    """Squared error of what the network takes the HR image for, at any level of noise."""


@dataclass(frozen=True)
class ClassificationRecipe(Recipe):
    """Cross entropy on labelled pictures; `space` and `lr_size` have no say."""

    image_sets: tuple[str, ...] = ("cifar10-train",)
    batch_size: int = 64
    learning_rate: float = 0.1  # peak of one cosine cycle
    optimizer: str = "sgd"  # with momentum 0.9; or "adam", for a network without normalization

    @property
    def validation_set(self) -> str:
        """CIFAR-10's test pictures; where it learns from left halves, the right ones."""
        left = [name.removesuffix("-left") for name in self.image_sets if name.endswith("-left")]
        return "+".join(f"{name}-right" for name in left) or "cifar10-test"


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
    """DASR: contrast between degradations, alone for the first steps, in a cycle of its own."""

    pretraining: int = 1000  # steps before the generator learns
    contrast_weight: float = 1.0
    queue: int = 8192  # keys of earlier batches
    momentum: float = 0.999
    temperature: float = 0.07

    @property
    def cycles(self) -> tuple[int, ...]:
        """Contrast, then all losses."""
        first = min(self.pretraining, self.steps)
        return tuple(length for length in (first, self.steps - first) if length)

    @property
    def partial(self) -> bool:
        """The generator rests at first."""
        return self.pretraining > 0


KINDS: tuple[type[Recipe], ...] = (
    *(Recipe, AdversarialRecipe, UnpairedRecipe, DiffusionRecipe, ClassificationRecipe),
    *(FilterRecipe, CodeRecipe, RedegradationRecipe, ContrastiveRecipe),
)
TYPES = {kind.__name__: kind for kind in KINDS}


def recipe_from(header: Mapping[str, Any]) -> Recipe:
    """The recipe in a checkpoint's header (`provenance.recipe`), after JSON too."""
    values = _tupled(header)
    kind = TYPES[values.pop("type")]
    if "space" in values:
        values["space"] = DegradationSpace(**_tupled(values["space"]))
    return kind(**values)


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(own) if isinstance(own, list) else own for key, own in values.items()}


def seed_name(name: str, seed: int) -> str:
    """The name of a recipe's training seed: "srresnet-gr" of 0, "srresnet-gr-s1" of 1."""
    return name if seed == 0 else f"{name}-s{seed}"


def seed_names(name: str, seeds: Iterable[int]) -> list[str]:
    """`seed_name` of each of several seeds."""
    return [seed_name(name, seed) for seed in seeds]
