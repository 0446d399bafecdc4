"""What a run is told: one frozen dataclass a verb, made of the parts that verbs share.

Nothing here is looked up or opened; see `resolving` for what the names mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from forensics.case.evidence import Tier
from forensics.subjects.backends.backend import BackendOptions, GenerationSettings

WITHOUT_COHORT = "none"  # the name that asks for no cohort and no calibration


@dataclass(frozen=True)
class Prompts:
    """Which prompts are asked.

    `suite` is a name or a file; None is the verb's own choice. Of it are taken the categories
    named, every one by default, and at most `limit` prompts; of a suite that a cohort answered only
    those that the cohort weighs, unless `every` one is wanted.
    """

    suite: str | None = None
    category: tuple[str, ...] = ()
    limit: int | None = None
    every: bool = False

    @property
    def chosen(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.suite or self.category or self.limit)


@dataclass(frozen=True)
class Asking:
    """How subjects are asked, and where answers are kept.

    `folder` holds the transcripts, `texts` is a local copy of the texts of a referenced suite, and
    `allow_broken` takes a transcript whose hash chain is broken.
    """

    generation: GenerationSettings = field(default_factory=GenerationSettings)
    backend: BackendOptions = field(default_factory=BackendOptions)
    folder: Path = Path("transcripts")
    texts: Path | None = None
    allow_broken: bool = False


@dataclass(frozen=True)
class Price:
    """What an endpoint charges per million tokens, in whatever money: read, and written."""

    read: float
    written: float

    def of(self, read: int, written: int) -> float:
        """Return what so many tokens cost."""
        return (read * self.read + written * self.written) / 1e6

    def __str__(self) -> str:
        """Say it as it is given."""
        return f"{self.read:g}/{self.written:g}"


@dataclass(frozen=True)
class LimitNames:
    """By which words a user sets what a run may ask, for messages."""

    run: str = "run"
    max_calls: str = "--max-calls"
    max_output_tokens: str = "--max-output-tokens"
    limit: str = "--limit"
    samples: str = "--samples"
    max_tokens: str = "--max-tokens"


@dataclass(frozen=True)
class Spending:
    """What a run may ask at most, and what that costs; `hint` follows what is announced."""

    max_calls: int | None = None
    max_output_tokens: int | None = None
    price: Price | None = None
    names: LimitNames = LimitNames()
    hint: str = ""


@dataclass(frozen=True)
class Endpoints:
    """Where endpoints are: what a subject's own address leaves open.

    `file` names endpoints for `openai:model@NAME` instead of the files looked for by default;
    `api_key_env` is the name of the environment variable with the key, never a key.
    """

    base_url: str | None = None
    file: Path | None = None
    api_key_env: str | None = None
    api: Literal["chat", "completions"] | None = None


@dataclass(frozen=True)
class Analysis:
    """What is measured, and against what.

    `only` and `without` name comparators, `tiers` those that are wanted, `controls` are subjects to
    read token probabilities against, `cohort` is a name, a file, or `none`; None takes the one that
    has the prompts. Embeddings are read of some common prompts unless `all_embeddings` are wanted.
    `bases` are the questioned model's own pasts. Months of release are `YYYY-MM`, empty where
    unknown.
    """

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    controls: tuple[str, ...] = ()
    cohort: str | None = None
    known_released: str = ""
    questioned_released: str = ""
    all_embeddings: bool = False
    bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompareSettings:
    """How two subjects are compared.

    `blind` and `planned` (a case file is followed) are recorded; `command` is what was typed.
    """

    prompts: Prompts = field(default_factory=Prompts)
    asking: Asking = field(default_factory=Asking)
    endpoints: Endpoints = field(default_factory=Endpoints)
    analysis: Analysis = field(default_factory=Analysis)
    spending: Spending = Spending()
    blind: bool = False
    planned: bool = False
    command: str = ""


@dataclass(frozen=True)
class TraceSettings:
    """How a subject's relatives are sought; without a suite the cohort's is asked.

    `cohort` is a name or a file; None takes the one that fits the subject, see `cohort_for`.
    """

    prompts: Prompts = field(default_factory=Prompts)
    asking: Asking = field(default_factory=Asking)
    endpoints: Endpoints = field(default_factory=Endpoints)
    spending: Spending = Spending()
    cohort: str | None = None
    released: str = ""
    bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class WatchSettings:
    """How an endpoint is looked at once.

    `state` keeps the calls of all looks, at most `calls` are made; `level` is the chance of a false
    alarm over the whole watch, None that of the state.
    """

    baseline: Path
    state: Path
    calls: int = 40
    level: float | None = None
    asking: Asking = field(default_factory=Asking)
    endpoints: Endpoints = field(default_factory=Endpoints)
    spending: Spending = Spending()


@dataclass(frozen=True)
class ProbeSettings:
    """How a subject is asked a suite; `output` is the transcript, named by who answers if None."""

    prompts: Prompts = field(default_factory=Prompts)
    asking: Asking = field(default_factory=lambda: Asking(folder=Path(), allow_broken=True))
    endpoints: Endpoints = field(default_factory=Endpoints)
    spending: Spending = Spending()
    output: Path | None = None


@dataclass(frozen=True)
class CheckSettings:
    """How a subject is held against a policy, beside what the policy says.

    `asking` counts but for generation, which is the policy's. `card` is a model card or folder to
    read besides the subject's own; `strict` fails what is undecided.
    """

    asking: Asking = field(default_factory=Asking)
    endpoints: Endpoints = field(default_factory=Endpoints)
    card: Path | None = None
    strict: bool = False
    command: str = ""


@dataclass(frozen=True)
class EvaluateSettings:
    """What outputs are evaluated by.

    `pairs` and `models` are the tables of labelled pairs and of lineage, `steps` that of models
    beside their pasts; pairs or steps may be left out, not both. `prompts` and
    `cohort_size` how many are drawn by `seed` (all, if None), `fit` the file of a cohort to fit.
    `transferred` judges every pair by lines fitted on other prompts, too.
    """

    pairs: Path | None
    models: Path
    prompts: int | None = None
    cohort_size: int | None = None
    seed: int = 0
    fit: Path | None = None
    transferred: bool = False
    steps: Path | None = None


@dataclass(frozen=True)
class ExposureSettings:
    """How a model is tested for having learned from served answers.

    `base` and `controls` are subjects, `negative_control` the log of unsuspected accounts. `design`
    and `declared` stand in for the header of a log that has none; `statistic` is the one that
    counts, None the usual one of the subject's kind. At most `most` prompts are read. `previous` is
    the result of the last look at a log that has grown since.
    """

    asking: Asking = field(default_factory=Asking)
    endpoints: Endpoints = field(default_factory=Endpoints)
    spending: Spending = Spending()
    base: str | None = None
    controls: tuple[str, ...] = ()
    negative_control: Path | None = None
    previous: Path | None = None
    design: Literal["split_before_serving", "sampled_again_later"] | None = None
    declared: int | None = None
    statistic: Literal["probabilities", "fourgrams", "runs", "edit"] | None = None
    level: float = 0.01
    seed: int = 0
    most: int = 2_000


@dataclass(frozen=True)
class SplitSettings:
    """Where a split goes: the whole log, and, if wanted, what is to be served.

    `append`: the answers are the log's next batch, or the first of one that will grow.
    """

    seed: int
    output: Path
    served: Path | None = None
    append: bool = False


@dataclass(frozen=True)
class PowerSettings:
    """Which shares and numbers of pairs are asked for.

    `size` and `spread` are the mean and the deviation of a difference where every pair was trained
    on; None takes what is usually assumed.
    """

    pairs: tuple[int, ...] = (100, 300, 1_000, 3_000, 10_000)
    shares: tuple[float, ...] = (1.0, 0.5, 0.1, 0.01)
    level: float = 0.01
    size: float | None = None
    spread: float | None = None
