"""HELM: `scenario_state.json`, the requests of a run with what the model returned.

https://github.com/stanford-crfm/helm, `ScenarioState`: `{adapter_spec: {model}, request_states:
[{instance, request, result: {success, completions: [{text, finish_reason}]}}]}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import InputFileError
from forensics.support.compressed import plain_path
from forensics.transcripts.completions import Failure
from forensics.transcripts.importers.calls import Call, CallReader
from forensics.transcripts.importers.head import Record, first_record, is_record, objects
from forensics.transcripts.importers.importer import (
    Imported,
    ImportedAnswer,
    by_model,
    each_record,
    model_name,
)
from forensics.transcripts.importers.problems import Problems
from forensics.transcripts.importers.records import json_records
from forensics.transcripts.importers.requests import Messages, asked

# What is scored by likelihood: nothing is generated.
_SCORED = ("multiple_choice_separate", "language_modeling", "ranking_binary")


@dataclass(frozen=True)
class Helm:
    """Reads generated answers; a request of several completions gives samples."""

    name: str = "helm"
    description: str = "HELM scenario states of generation tasks"
    example: str = "runs/v1/gsm:model=org_owl-7b/scenario_state.json"

    def detect(self, path: Path) -> bool:
        """See `Importer`."""
        return {"adapter_spec", "request_states"} <= first_record(path).keys()

    def read(self, path: Path) -> Iterator[Imported]:
        """See `Importer`; a request that failed is kept as an error."""
        problems = Problems()
        calls = CallReader("helm:instance", plain_path(path).stem)
        answers: list[ImportedAnswer] = []
        for where, state in json_records(path, problems):
            spec = state.get("adapter_spec")
            spec = spec if is_record(spec) else {}
            _refuse_unwritten(where, spec)
            reader = _HelmReader(calls, model_name(spec.get("model"), spec.get("model_deployment")))
            answers += each_record(_states(where, state), reader.read, problems)
        yield from by_model(answers, calls.tally.notes(), problems)


def _refuse_unwritten(where: str, spec: Record) -> None:
    if str(spec.get("method")).startswith(_SCORED):
        raise InputFileError(
            f"{where}: a task scored by likelihood (multiple choice) holds no answer text; "
            "import the state of a generation task"
        )


def _states(where: str, state: Record) -> Iterator[tuple[str, object]]:
    states = state.get("request_states")
    if not isinstance(states, list):
        states = [None]  # told as one that cannot be read
    for number, entry in enumerate(states, start=1):
        yield f"{where}, request {number}", entry


@dataclass
class _HelmReader:
    calls: CallReader
    model: str | None

    def read(self, where: str, state: object) -> list[ImportedAnswer]:
        request = state.get("request") if is_record(state) else None
        if not is_record(state) or not is_record(request):
            raise InputFileError(f"{where}: no request; this is not the state of a HELM scenario")
        instance = state.get("instance")
        identifier = instance.get("id") if is_record(instance) else None
        return self.calls.answers(
            Call(
                where,
                str(identifier)[:200] if identifier else None,
                _messages(request, instance, where),
                *_result(state.get("result"), where),
                asked_model=model_name(request.get("model"), self.model),
                cached=_is_cached(state.get("result")),
            )
        )


def _messages(request: Record, instance: object, where: str) -> Messages:
    """Return what was sent: the request's messages, media or prompt, else the instance's input."""
    media = request.get("multimodal_prompt")
    if is_record(media):
        parts = [_part(medium) for medium in objects(media.get("media_objects"))]
        return asked({"messages": [{"role": "user", "content": parts}]}, where)
    if request.get("messages") or request.get("prompt"):
        return asked({k: request[k] for k in ("messages", "prompt") if request.get(k)}, where)
    given = instance.get("input") if is_record(instance) else None
    return asked({"prompt": given.get("text") if is_record(given) else given}, where)


def _part(media: Record) -> Record:
    kind = str(media.get("content_type", ""))
    if kind.startswith("text"):
        return {"type": "text", "text": media.get("text")}
    return {"type": kind.partition("/")[0] or "media", "location": media.get("location")}


def _result(result: object, where: str) -> tuple[object, Failure | None]:
    if not is_record(result) or result.get("success") is False:
        error = result.get("error") if is_record(result) else None
        said = error if isinstance(error, str) and error else "the request has no result"
        return None, Failure("error", said[:500])
    completions = objects(result.get("completions"))
    if not completions:
        raise InputFileError(f"{where}: the result holds no completion")
    return {"choices": [_choice(completion) for completion in completions]}, None


def _is_cached(result: object) -> bool:
    return is_record(result) and result.get("cached") is True


def _choice(completion: Record) -> Record:
    thinking = completion.get("thinking")
    thought = thinking.get("text") if is_record(thinking) else thinking
    message = {"role": "assistant", "content": completion.get("text"), "thinking": thought}
    return {"message": message, "finish_reason": completion.get("finish_reason")}
