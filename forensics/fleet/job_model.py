"""What a fleet's job may say, as it stands in its file."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from forensics.case.evidence import Tier
from forensics.policy.model import Count, Text, Texts
from forensics.support.asking_defaults import SAMPLES, TEMPERATURE

Work = Literal["examine", "probe", "compare", "trace", "check"]
_SCALES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([KMBT]?)")
_MODEL_FIELD, _PORT_FIELD = "{model}", "{port}"
_FIELDS = (_MODEL_FIELD, _PORT_FIELD, "{dtype}")
VLLM = ("vllm", "serve", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--dtype", "{dtype}")


def parameters(text: str) -> int:
    """Return the number of parameters that such a text as `1.5B` gives.

    Raises:
        PydanticCustomError: it is not of that form.
    """
    amount = _AMOUNT.fullmatch(text)
    if amount is None:
        raise PydanticCustomError("amount", "must be a number with K, M, B or T, such as 1.5B")
    return round(float(amount[1]) * _SCALES[amount[2]])


def _amount(text: str) -> str:
    parameters(text)
    return text


Amount = Annotated[str, AfterValidator(_amount)]


class JobTable(BaseModel):
    """Base of every table: unknown keys are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class HubQuery(JobTable):
    """`[subjects.hub]`: models of a hub, each pinned to the commit that the hub names now."""

    author: Text | None = Field(default=None, description="whose models")
    search: Text | None = Field(default=None, description="what their names hold")
    created_after: datetime.date | None = Field(default=None, description="a date, not included")
    min_downloads: Annotated[int, Field(ge=0)] = Field(
        default=0, description="fewest downloads in the last 30 days, as the hub counts them"
    )
    min_parameters: Amount | None = Field(default=None, description="such as 1B; included")
    max_parameters: Amount | None = Field(default=None, description="such as 15B; included")
    limit: Count | None = Field(default=None, description="at most so many, the newest first")
    endpoint: Text | None = Field(default=None, description="address of the hub [HF_ENDPOINT]")

    @model_validator(mode="after")
    def _some(self) -> HubQuery:
        if not (self.author or self.search or self.created_after or self.limit):
            message = "needs one of: author, search, created_after, limit"
            raise PydanticCustomError("one_of", message)
        return self


class JobSubjects(JobTable):
    """`[subjects]`: which models; what several of these keys name is put together."""

    file: Text | None = Field(default=None, description="a text file with a subject on each line")
    folder: Text | None = Field(
        default=None, description="a folder of transcripts, GGUF files and folders of models"
    )
    hub: HubQuery | None = Field(default=None, description="models of a hub")

    @model_validator(mode="after")
    def _some(self) -> JobSubjects:
        if not (self.file or self.folder or self.hub):
            raise PydanticCustomError("one_of", "needs one of: file, folder, hub")
        return self


class JobAsking(JobTable):
    """`[asking]`: which prompts are asked, and how; as the options of `forensics probe`."""

    suite: Text | None = Field(default=None, description="a suite's name or file")
    category: Texts = Field(default=(), description="only these categories")
    limit: Count | None = Field(default=None, description="at most so many prompts")
    samples: Count = Field(default=SAMPLES, description="answers to each prompt")
    temperature: Annotated[float, Field(ge=0, le=5)] = Field(
        default=TEMPERATURE, description="0 is greedy"
    )
    max_tokens: Count | None = Field(default=None, description="cap on every answer's tokens")
    seed: int = Field(default=0, description="of sampling")
    system_prompt: Text | None = Field(default=None, description="sent with every request")
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32", description="precision of models that no server runs"
    )
    batch_size: Count = Field(default=64, description="prompts that such a model answers at once")
    concurrency: Count = Field(default=8, description="calls under way at once for each subject")
    timeout: Annotated[float, Field(ge=0.1)] = Field(
        default=120.0, description="seconds that an answer may take"
    )
    endpoints: Text | None = Field(default=None, description="file of named endpoints")


class JobCompare(JobTable):
    """`[compare]`: every subject is compared with each of the references."""

    references: Annotated[Texts, Field(min_length=1)] = Field(description="the known models")
    cohort: Text | None = Field(default=None, description="as compare --cohort")
    tiers: Annotated[tuple[Tier, ...], Field(strict=False)] = Field(
        default=(), description="only these tiers of evidence"
    )
    only: Texts = Field(default=(), description="only these comparators")
    without: Texts = Field(default=(), description="not these comparators")


class JobTrace(JobTable):
    """`[trace]`: where the relatives of every subject are sought."""

    cohort: Text | None = Field(default=None, description="as trace --cohort")


class JobCheck(JobTable):
    """`[check]`: what every subject is held against."""

    policy: Text = Field(description="a policy file, as check --policy")
    strict: bool = Field(default=False, description="as check --strict")


class JobTask(JobTable):
    """`[task]`: what the work on one subject takes of a node; what is left out is estimated."""

    cpus: Annotated[float, Field(gt=0)] = Field(default=1.0, description="processors")
    gpus: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="GPUs [by the size of the model's files, of a server's task]"
    )
    gpu_memory_gib: Annotated[float, Field(gt=0)] = Field(
        default=80.0, description="memory of one GPU, to estimate by"
    )
    memory_gib: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="memory [by the size of the model's files]"
    )
    retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="how often a task is started again after its process or node died"
    )
    at_once: Count | None = Field(
        default=None, description="tasks handed to Ray at once [twice what its nodes can run]"
    )
    autoscaled: bool = Field(
        default=False, description="whether the cluster adds nodes for tasks that none can hold"
    )


class JobServer(JobTable):
    """`[server]`: who runs local models, and is asked as an endpoint."""

    command: Annotated[Texts, Field(min_length=1)] = Field(
        default=VLLM, description="with {model}, {port} and {dtype} filled in"
    )
    engine: Text = Field(default="vllm", description="its name, for the record")
    version_command: Texts = Field(
        default=("vllm", "--version"), description="prints its version; empty: not recorded"
    )
    dtype: Text = Field(default="bfloat16", description="the precision, for {dtype} and the record")
    model: Text = Field(default=_MODEL_FIELD, description="how requests name the model")
    health: Text = Field(default="/health", description="path that answers 200 once it is ready")
    api: Literal["chat", "completions"] = Field(default="chat", description="what it speaks")
    startup: Annotated[float, Field(gt=0)] = Field(
        default=900.0, description="seconds in which it must be ready"
    )

    @model_validator(mode="after")
    def _fillable(self) -> JobServer:
        words = " ".join(self.command)
        for needed in (_MODEL_FIELD, _PORT_FIELD):
            if needed not in words:
                raise PydanticCustomError("field", f"command must hold {needed}")
        unknown = set(re.findall(r"\{\w+\}", words)) - set(_FIELDS)
        if unknown:
            message = f"command holds {min(unknown)}; there are {', '.join(_FIELDS)}"
            raise PydanticCustomError("field", message)
        return self


class FleetJob(JobTable):
    """What is done to which subjects, and where its results go."""

    results: Text = Field(description="a folder, or a place such as s3://bucket/prefix")
    work: Work = Field(description="what is done to each subject")
    scratch: Text | None = Field(
        default=None, description="folder for answers of unfinished subjects, on every node [cache]"
    )
    subjects: JobSubjects = Field(description="which models")
    asking: JobAsking = Field(default=JobAsking(), description="which prompts are asked, and how")
    compare: JobCompare | None = Field(default=None, description='of work = "compare"')
    trace: JobTrace = Field(default=JobTrace(), description='of work = "trace"')
    check: JobCheck | None = Field(default=None, description='of work = "check"')
    task: JobTask = Field(default=JobTask(), description="what one subject takes of a node")
    server: JobServer | None = Field(
        default=None, description="who runs local models; without it the task itself does"
    )

    @model_validator(mode="after")
    def _complete(self) -> FleetJob:
        if self.work == "compare" and self.compare is None:
            raise PydanticCustomError("table", 'work = "compare" needs a table [compare]')
        if self.work == "check" and self.check is None:
            raise PydanticCustomError("table", 'work = "check" needs a table [check]')
        return self


def job_schema() -> dict[str, Any]:
    """Return the JSON Schema of a job."""
    return FleetJob.model_json_schema()
