"""TOML file → job, with errors that say which key and line is meant; and a file to begin with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from forensics.errors import InputFileError
from forensics.fleet.job_model import FleetJob, job_schema
from forensics.policy.reading import explain, key_lines
from forensics.support.settings_file import parse_settings, settings_text

# What may change between two runs that share their results: none of it changes a result.
_FREE = frozenset({"results", "subjects", "task", "scratch"})

TEMPLATE = """\
# A job of forensics fleet: the same work on many models. Lines that begin with # are defaults.
results = "fleet/results"   # a folder, or s3://bucket/prefix, gs://bucket/prefix
work = "examine"            # examine, probe, compare, trace or check
# scratch = "…"             # folder of every node for answers of unfinished subjects

[subjects]                  # what several of these name is put together
file = "subjects.txt"       # a subject on each line, such as hf:org/name
# folder = "models"         # transcripts, GGUF files and folders of models in it

# [subjects.hub]            # models of a hub, each pinned to its present commit
# author = "org"
# created_after = 2026-11-01
# min_downloads = 100
# min_parameters = "1B"
# max_parameters = "15B"
# limit = 500
# endpoint = "https://hub.example"

# [asking]                  # as the options of forensics probe
# suite = "core"
# limit = 64
# samples = 3
# temperature = 0.7

# [compare]                 # work = "compare"
# references = ["transcript:known.jsonl", "cohort:gpt4_1106_preview"]
# tiers = ["text"]

# [trace]                   # work = "trace"
# cohort = "alpaca-eval"

# [check]                   # work = "check"
# policy = "forensics.toml"

# [task]                    # what one subject takes of a node
# cpus = 1.0
# gpus = 1.0                # by the size of the model's files
# gpu_memory_gib = 80.0
# memory_gib = 64.0         # by the size of the model's files
# retries = 3
# autoscaled = false

# [server]                  # who runs local models on GPUs: any server of the OpenAI protocol
# command = [
#   "vllm", "serve", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--dtype", "{dtype}",
# ]
# engine = "vllm"
# version_command = ["vllm", "--version"]
# dtype = "bfloat16"
# health = "/health"
"""


@dataclass(frozen=True)
class JobFile:
    """A job, and where it was read."""

    job: FleetJob
    path: Path

    @property
    def fingerprint(self) -> str:
        """The sha256 of what results depend on, the text of a policy included.

        Raises:
            InputFileError: the policy cannot be read.
        """
        said = self.job.model_dump(mode="json", exclude=set(_FREE))
        if self.job.work == "check" and self.job.check is not None:
            said["policy_text"] = settings_text(Path(self.job.check.policy))
        canonical = json.dumps(said, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def read_job(path: Path) -> JobFile:
    """Read and validate a job.

    Raises:
        InputFileError: it cannot be read or says something impossible; the message has the line.
    """
    text = settings_text(path, "job", f"write one with: forensics fleet new {path}")
    try:
        return JobFile(FleetJob.model_validate(parse_settings(text, path)), path)
    except ValidationError as error:
        raise InputFileError(
            explain(path, key_lines(text), error, job_schema(), "the job")
        ) from None
