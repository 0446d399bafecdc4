"""Runs a local model over given texts and reads its probabilities."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.errors import BackendError
from forensics.examination.probability_values import MAX_ANSWER_CHARS, TextScore, answer_key, bare

if TYPE_CHECKING:
    import torch

    from forensics.subjects.backends.backend import BackendOptions
    from forensics.subjects.model_files.sources import ModelSource
    from forensics.transcripts.answers import Answer

# The most likely tokens whose first characters are summed; what is left out weighs little.
_TOP = 20
_MAX_BATCH = 16  # log-probabilities of a whole vocabulary at every place fill memory quickly


@dataclass(frozen=True)
class _Job:
    """A text to score after a context; `places` maps a number of its tokens to a place in it.

    Where a text `begins`, spaces in front of what is expected are not told: some tokenizers write
    them there and some do not.
    """

    context: list[int]
    tokens: list[int]
    size: int
    places: dict[int, int]
    begins: bool = False


class Scorer:
    """A loaded model that says how likely texts are.

    Args:
        name: what to call the model in messages.
        source: where it is.
        options: `dtype` and `batch_size` are used.

    Raises:
        BackendError: the model cannot be loaded.
    """

    def __init__(self, name: str, source: ModelSource, options: BackendOptions) -> None:
        from forensics.subjects.backends.chat_template import ChatTemplate
        from forensics.subjects.model_files.model_loading import load_model

        self._name = name
        self._model, self._tokenizer = load_model(source.folder(), options.dtype, name)
        named = self._tokenizer.special_tokens_map
        special = {key: value for key, value in named.items() if isinstance(value, str)}
        self._template = ChatTemplate(source.template, special)
        self._batch = min(options.batch_size, _MAX_BATCH)
        self._longest = getattr(self._model.config, "max_position_embeddings", None) or math.inf

    def about(self) -> dict[str, str]:
        """Return the vocabulary's hash: equal where tokens can be compared as they are."""
        ordered = sorted(self._tokenizer.get_vocab().items(), key=lambda entry: entry[1])
        text = "\0".join(token for token, _ in ordered)
        return {"tokenizer": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}

    def score_texts(
        self, texts: Sequence[str], places: Sequence[Sequence[int]]
    ) -> list[TextScore | None]:
        """Score texts from their very start; None for a text the tokenizer cannot write.

        The first token is predicted from the token that begins (or else ends) a document, as in
        the rolling likelihood of lm-evaluation-harness.

        Args:
            texts: what to score.
            places: for each, where the next token is asked for, in characters.

        Raises:
            BackendError: the tokenizer has no such token, or the model gives NaN.
        """
        first = self._tokenizer.bos_token_id
        first = self._tokenizer.eos_token_id if first is None else first
        if first is None:
            raise BackendError(
                f"{self._name}: its tokenizer has no token that begins or ends a text, so the "
                "likelihood of a whole text is not defined"
            )
        jobs = [self._job([int(first)], text, at) for text, at in zip(texts, places, strict=True)]
        return self._run(jobs)

    def score_answers(self, asked: Sequence[tuple[Answer, Sequence[Any]]]) -> dict[str, TextScore]:
        """Score answers where the model itself would answer those messages, by `answer_key`.

        Answers whose prompt the chat template refuses, or that do not fit the context, are left
        out.

        Raises:
            BackendError: the model gives NaN.
        """
        jobs: list[_Job | None] = []
        for answer, messages in asked:
            text = answer.text[:MAX_ANSWER_CHARS].encode("utf-8", "replace").decode("utf-8")
            context = self._context(messages)
            jobs.append(self._job(context, text, ()) if context else None)
        scores = self._run(jobs)
        return {
            answer_key(answer): score
            for (answer, _), score in zip(asked, scores, strict=True)
            if score is not None
        }

    def score_replies(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[TextScore | None]:
        """Score whole texts where the model itself would answer those messages.

        None where the chat template refuses the prompt, the text does not fit the context, or the
        tokenizer cannot write it.

        Args:
            asked: texts, and the messages they answer.

        Raises:
            BackendError: the model gives NaN.
        """
        jobs: list[_Job | None] = []
        for text, messages in asked:
            clean = text.encode("utf-8", "replace").decode("utf-8")
            context = self._context(messages)
            jobs.append(self._job(context, clean, ()) if context and clean else None)
        return self._run(jobs)

    def first_tokens(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> dict[str, str]:
        """Return the first two characters that are expected of each answer.

        Prompts that the chat template refuses, or that do not fit the context, are left out.

        Args:
            asked: a name each, and the messages to answer.

        Raises:
            BackendError: the model gives NaN.
        """
        jobs: list[_Job | None] = []
        for _, messages in asked:
            *before, last = self._context(messages) or [0]
            fits = before and len(before) + 2 <= self._longest
            # What would stand in the answer's place is not looked at, only what is expected there.
            jobs.append(_Job(before, [last, last], 1, {1: 0}, begins=True) if fits else None)
        scores = self._run(jobs)
        return {
            name: score.next_tokens[0][1]
            for (name, _), score in zip(asked, scores, strict=True)
            if score is not None
        }

    def _context(self, messages: Sequence[Any]) -> list[int]:
        """Return the tokens an answer follows; none where the chat template refuses."""
        try:
            prompt = self._template.render(messages)
        except ValueError:
            return []
        plain = self._template.text is None
        # A base model goes on with the text: the break keeps the answer from being its end.
        prompt = f"{prompt}\n\n" if plain else prompt
        clean = prompt.encode("utf-8", "replace").decode("utf-8")
        return list(self._tokenizer(clean, add_special_tokens=plain)["input_ids"])

    def _job(self, context: list[int], text: str, places: Sequence[int]) -> _Job | None:
        tokens = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        if not tokens or len(context) + len(tokens) > self._longest:
            return None
        if self._decode(tokens).strip() != text.strip():
            return None  # something was lost or made up, and the likelihood is another text's
        ends = self._ends(tokens, text) if places else {}
        size = len(text.encode("utf-8"))
        return _Job(context, tokens, size, {ends[p]: p for p in places if p in ends})

    def _ends(self, tokens: list[int], text: str) -> dict[int, int]:
        """Return place → number of tokens that write the text up to it exactly."""
        ends: dict[int, int] = {}
        for count in range(1, len(tokens)):
            start = self._decode(tokens[:count])
            if text.startswith(start):
                ends.setdefault(len(start), count)
        return ends

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def _run(self, jobs: Sequence[_Job | None]) -> list[TextScore | None]:
        scores: list[TextScore | None] = [None] * len(jobs)
        todo = [(i, job) for i, job in enumerate(jobs) if job is not None]
        todo.sort(key=lambda entry: len(entry[1].context) + len(entry[1].tokens))
        for start in range(0, len(todo), self._batch):
            batch = todo[start : start + self._batch]
            for (i, _), score in zip(batch, self._score([job for _, job in batch]), strict=True):
                scores[i] = score
        return scores

    def _score(self, jobs: Sequence[_Job]) -> list[TextScore]:
        import torch

        rows = [job.context + job.tokens for job in jobs]
        width = max(map(len, rows))
        # Padding stands behind, where a causal model does not look.
        inputs = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        device = self._model.device
        try:
            with torch.inference_mode():
                logits = self._model(inputs.to(device), attention_mask=mask.to(device)).logits
                return [self._read(job, row) for job, row in zip(jobs, logits, strict=True)]
        except (RuntimeError, MemoryError) as error:
            raise BackendError(f"{self._name} failed while scoring texts: {error}") from error

    def _read(self, job: _Job, logits: torch.Tensor) -> TextScore:
        import torch

        before = len(job.context) - 1
        rows = logits[before : before + len(job.tokens)].float().log_softmax(-1).cpu()
        chosen = rows.gather(1, torch.tensor(job.tokens)[:, None]).sum()
        if not bool(torch.isfinite(chosen)):
            raise BackendError(
                f"{self._name} gives NaN instead of probabilities; its weights are damaged"
            )
        following = {
            place: self._next(job.tokens[count - 1], rows[count], job.begins)
            for count, place in job.places.items()
        }
        return TextScore(float(chosen), job.size, following, len(job.tokens))

    def _next(self, last: int, row: torch.Tensor, begins: bool) -> tuple[str, str]:
        """Return the most likely next token, and the most likely first two characters."""
        top = row.topk(min(_TOP, len(row)))
        # Decoded with the token before it: some tokenizers drop a space at the very start.
        start = len(self._decode([last]))
        texts = [self._decode([last, token])[start:] for token in top.indices.tolist()]
        texts = [bare(text) for text in texts] if begins else texts
        starts: dict[str, float] = {}
        for text, share in zip(texts, top.values.exp().tolist(), strict=True):
            starts[text[:2]] = starts.get(text[:2], 0.0) + share
        return texts[0], max(starts, key=lambda key: starts[key])
