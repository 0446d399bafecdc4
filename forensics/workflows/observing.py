"""What costs extra calls or runs, and so is asked for by name: token counts and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forensics.case.evidence import Tier
from forensics.examination.examined import PROBABILITIES, Examined
from forensics.examination.probability_values import LOCAL_KINDS
from forensics.examination.token_probabilities import READ_TOKENS, observe, shared_prompts
from forensics.subjects.backends import open_backend
from forensics.subjects.subject import Subject
from forensics.transcripts.transcript import Transcript, ad_hoc_suite
from forensics.workflows.callbacks import Progress
from forensics.workflows.obtaining import collect_answers, needed
from forensics.workflows.settings import Asking

if TYPE_CHECKING:
    from forensics.evidence.comparator import Comparator
    from forensics.examination.first_token_probabilities import FirstTokens

Sides = tuple[Examined, Examined]


def controls_answer(subjects: Sequence[Subject], controls: Sequence[Subject]) -> bool:
    """Tell whether controls are asked at all.

    Too few controls to test anything with are not, nor any beside an endpoint or transcript, which
    cannot read what they would say.
    """
    from forensics.evidence.probabilities.mutual_fit import LEAST_CONTROLS

    are_local = all(subject.kind in LOCAL_KINDS for subject in subjects)
    return are_local and len(controls) >= LEAST_CONTROLS


def control_asking(asking: Asking) -> Asking:
    """Return how controls are asked: once, and for no more than is read."""
    most = min(asking.generation.max_tokens or READ_TOKENS, READ_TOKENS)
    generation = replace(asking.generation, max_tokens=most, samples=1)
    return replace(asking, generation=generation, texts=None)


@dataclass(frozen=True)
class Observer:
    """How two subjects are observed in a run, and against which local models."""

    controls: tuple[Subject, ...]
    tiers: tuple[Tier, ...]
    asking: Asking
    progress: Progress

    def observed(
        self, first: Examined, second: Examined, comparators: Sequence[Comparator[Any]]
    ) -> Sides:
        """Add token counts and probabilities, as far as comparators need them.

        Raises:
            BackendError: an endpoint or model cannot be asked.
        """
        needs = needed(comparators)
        if "token_counts" in needs and "tokenizer" in self.tiers:
            first, second = self._counted(first), self._counted(second)
        if not needs & PROBABILITIES:
            return first, second
        if self.controls and "logprobs" in self.tiers:
            first, second = self._echoed(first), self._echoed(second)
            if "first_tokens" in needs:
                first, second = self._begun(first, second)
        asks = any({"answers", "logprobs"} <= comparator.needs for comparator in comparators)
        answered = self._answered(first, second) if asks else []
        with self.progress.step("token probabilities") as retitle:
            backend = self.asking.backend
            return observe(first, second, self.controls, backend, retitle, answered)

    def _answered(self, first: Examined, second: Examined) -> list[Transcript]:
        """Ask controls what both subjects answered, as far as token probabilities are read."""
        prompts = shared_prompts(first, second)
        if not prompts or not controls_answer((first.subject, second.subject), self.controls):
            return []
        suite = replace(ad_hoc_suite([first.transcript]), prompts=tuple(prompts))
        asking = control_asking(self.asking)
        return [collect_answers(control, suite, asking, self.progress) for control in self.controls]

    def _echoed(self, side: Examined) -> Examined:
        from forensics.examination.endpoint_probabilities import ask_probabilities, suite

        if side.subject.kind != "openai":
            return side
        label, total = f"{side.name}: token probabilities", len(suite().prompts)
        with self.progress.answers(label, total, 0) as tick:
            seen = ask_probabilities(side.subject, self.asking.backend, self.asking.folder, tick)
        if isinstance(seen, str):
            return replace(side, unseen=seen)
        return replace(side, probabilities=seen)

    def _begun(self, first: Examined, second: Examined) -> Sides:
        """Add how models would begin answers, where one is an endpoint that echoes no texts.

        The other must be a local model: by it controls are seen to be able enough.
        """
        from forensics.examination.first_token_probabilities import local_first_tokens

        local = next((s for s in (first, second) if s.subject.kind in LOCAL_KINDS), None)
        remote = next((s for s in (first, second) if s.unseen and self._silent(s)), None)
        if local is None or remote is None:
            return first, second
        begins = self._beginnings(remote, local)
        if isinstance(begins, str):
            silent = replace(remote, unseen=f"{remote.unseen}; {begins}")
            return (silent, second) if remote is first else (first, silent)
        backend = self.asking.backend
        with self.progress.step("first tokens of local models"):
            panel = tuple(local_first_tokens(control, backend) for control in self.controls)
            tokens = local_first_tokens(local.subject, backend)
        asked = replace(remote, first_tokens=begins, first_controls=panel)
        read = replace(local, first_tokens=tokens, first_controls=panel)
        return (asked, read) if remote is first else (read, asked)

    def _beginnings(self, remote: Examined, local: Examined) -> FirstTokens | str:
        """Return how an endpoint begins answers, or why that is not asked."""
        from forensics.examination.first_token_probabilities import ask_first_tokens, suite
        from forensics.examination.local_probabilities import model_source

        if model_source(local.subject, self.asking.backend.dtype).template is None:
            return f"it answers through a chat template, and {local.name} has none"
        label, total = f"{remote.name}: first tokens", len(suite().prompts)
        with self.progress.answers(label, total, 0) as tick:
            return ask_first_tokens(remote.subject, self.asking.backend, self.asking.folder, tick)

    def _silent(self, side: Examined) -> bool:
        """Tell whether a chat endpoint echoed nothing when it was asked for the first passage."""
        from forensics.examination.endpoint_probabilities import plan_probabilities

        backend = open_backend(side.subject, self.asking.backend)
        _, _, todo = plan_probabilities(side.subject, self.asking.backend, self.asking.folder)
        return backend.identity().get("api") == "chat" and todo.answered <= 1

    def _counted(self, side: Examined) -> Examined:
        from forensics.examination.token_counting import collect_counts, plan_counts

        if side.subject.kind != "openai":
            return side
        backend = open_backend(side.subject, self.asking.backend)
        path, todo = plan_counts(side.subject, backend.identity(), self.asking.folder)
        total = todo.answered + len(todo.requests)
        label = f"{side.name}: token counts"
        with self.progress.answers(label, total, todo.answered) as tick:
            return replace(side, counted=collect_counts(side.subject, backend, path, tick))
