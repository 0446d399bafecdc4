"""A snippet for a model card: what was measured, in Markdown, with the hub's lineage metadata.

`base_model` and `base_model_relation` are what the Hugging Face hub reads of a card's YAML header
(https://huggingface.co/docs/hub/model-cards#specifying-a-base-model). They are filled in only where
weights support that one model derives from the other; which of the two came first, and by what
change, the measurement does not say, so the relation stays for the card's author to state.
"""

from __future__ import annotations

from dataclasses import dataclass

from forensics.case.document import Case
from forensics.report.first_screen import first_screen
from forensics.report.markdown import code, prose


@dataclass(frozen=True)
class CardReport:
    """The answers to all questions as a section of a model card."""

    name: str = "card"

    def render(self, case: Case) -> str:
        """Return the snippet."""
        return render_card(case)


def render_card(case: Case) -> str:
    """Return a section for the card of the questioned model."""
    screen = first_screen(case)
    answers = [(screen.lead.question, screen.lead.label)]
    answers += [(answer.question, answer.label) for answer in screen.others]
    rows = [f"| {prose(question)} | {prose(label)} |" for question, label in answers]
    asked = f"{case.overlap.both} prompts, {screen.date}, by model-forensics {code(case.version)}"
    blocks = [
        *_metadata(case),
        "## Measured lineage",
        f"Compared with {code(case.a.name)} ({asked}).",
        "\n".join(["| question | answer |", "| --- | --- |", *rows]),
        prose(screen.lead.said, 600),
        "This is a measurement of similarity. It does not show how, when or with whose permission "
        "outputs were obtained.",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _metadata(case: Case) -> list[str]:
    """Return the lines of a card's YAML header, where weights show a derivative."""
    relatives = next((x for x in case.verdict.answers if x.question == "close_relatives"), None)
    by_weights = relatives and relatives.answer == "supported" and "weights" in relatives.evidence
    if not by_weights or case.a.kind != "hf" or case.masked:
        return []
    name = case.a.spec.removeprefix("hf:").split("@", maxsplit=1)[0]
    if not _is_hub_name(name):
        return []
    return [
        f"```yaml\nbase_model: {name}\n"
        "base_model_relation: # finetune, adapter, merge or quantized\n```"
    ]


def _is_hub_name(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(
        part.replace("-", "").replace("_", "").replace(".", "").isalnum() for part in parts
    )
