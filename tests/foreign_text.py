"""Text that no model of a shipped cohort would write: another language, no language, no model."""

from __future__ import annotations

import random

from forensics.cohorts.cohort import Cohort
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Prompt
from forensics.transcripts.transcript import Response, Transcript

GERMAN = """der die das und ist nicht ein eine mit auf für von dem sich auch als an bei nach aus
wenn nur noch über Stadt Haus Garten Wetter Morgen Abend Kind Straße schreiben gehen sehen hören
lang kurz alt neu immer manchmal vielleicht Zeit Arbeit Leben Bild Buch Wasser Licht Wort""".split()
LATIN = """lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt
ut labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco""".split()
ENGLISH = """I walked down to the river last week and saw that somebody had painted the old boat
green my brother says it was always so but he was never good at remembering things like that we
had tea then talked about prices and the weather until it got dark""".split()


def prose(words: list[str], seed: int, prompts: int) -> list[str]:
    source = random.Random(seed)
    return [
        "\n\n".join(
            ". ".join(" ".join(source.choices(words, k=9)).capitalize() for _ in range(4)) + "."
            for _ in range(5)
        )
        for _ in range(prompts)
    ]


def tokens(seed: int, prompts: int) -> list[str]:
    source = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return [
        "\n".join(" ".join("".join(source.choices(letters, k=7)) for _ in range(12))
                  for _ in range(8))
        for _ in range(prompts)
    ]  # fmt: skip


def of_cohort(texts: list[str], cohort: Cohort) -> Examined:
    """Give a subject that answered a cohort's prompts, of which it knows the hashes only."""
    made = tuple(
        Response(prompt=Prompt(one.id, (), one.category, known_as=one.sha256), text=text)
        for one, text in zip(cohort.prompts, texts, strict=False)
    )
    return Examined(parse_subject("transcript:x.jsonl"), Transcript("x", made))
