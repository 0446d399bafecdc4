"""Thinking is told from the answer, whatever marks it; what an answer mentions stays in it."""

from __future__ import annotations

import time

import pytest

from forensics.transcripts.thinking import Split, is_delimiter, opening_at_end, split

PAIRS = [
    ("<think>", "</think>"),
    ("<THINK>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<Thought>", "</Thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<antThinking>", "</antThinking>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|think|>", "<|/think|>"),
    ("<|think:start|>", "<|think:end|>"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("[unused16]", "[unused17]"),
    ("<unused94>thought\n", "<unused95>"),
    ("<|channel>thought\n", "<channel|>"),
]
HARMONY = "<|channel|>analysis<|message|>"
FINAL = "<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_complete_cut_off_and_opened_by_the_template(opening: str, closing: str) -> None:
    whole = Split("Foxes sleep.", "They ask of foxes.")
    assert split(f"{opening}They ask of foxes.{closing}Foxes sleep.") == whole
    assert split(f"\n {opening}\nThey ask of foxes.\n{closing}\n\nFoxes sleep.\n") == whole
    assert split(f"{opening}They ask") == Split("", "They ask", cut_off=True)
    assert split(f"They ask of foxes.\n{closing}\nFoxes sleep.") == whole
    assert opening_at_end(f"<|user|>Foxes?<|assistant|>{opening}") == opening
    assert is_delimiter(opening.removesuffix("thought\n")) and is_delimiter(closing)


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_what_an_answer_mentions_stays_in_it(opening: str, closing: str) -> None:
    for text in (
        f"Models write {opening} and then {closing} around their thinking.",
        f"The closing tag is `{closing}` here.",
        f"Look:\n```\nthought{closing}answer\n```\nDone.",
        f"Write the mark {closing} before you answer.",
    ):
        assert split(text) == Split(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HARMONY}Hm.{FINAL}Foxes.", Split("Foxes.", "Hm.")),
        (f"{HARMONY}Hm.{FINAL}Foxes.<|return|>", Split("Foxes.", "Hm.")),
        (f"<|start|>assistant{HARMONY}Hm.{FINAL}Foxes.", Split("Foxes.", "Hm.")),
        (f"analysis<|message|>Hm.{FINAL}Foxes.", Split("Foxes.", "Hm.")),
        (f"Hm.{FINAL}Foxes.", Split("Foxes.", "Hm.")),
        ("<|channel|>final<|message|>Foxes.", Split("Foxes.")),
        (f"{HARMONY}Hm", Split("", "Hm", cut_off=True)),
        ("<|channel|>anal", Split("", None, cut_off=True)),
        (
            f"{HARMONY}Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>So.{FINAL}Foxes.",
            Split("Foxes.", "Hm.\nSo."),
        ),
        (
            f"{HARMONY}Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.f "
            "<|constrain|>json<|message|>{}<|call|>",
            Split("", "Hm.", cut_off=True),
        ),
        ("analysisThey ask.assistantfinalFoxes.", Split("Foxes.", "They ask.")),
        ("analysisThey ask", Split("", "They ask", cut_off=True)),
    ],
)
def test_channels_with_their_tokens_and_stripped_of_them(text: str, expected: Split) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>\nHm.\n</think>\n<answer>\nFoxes.\n</answer>", Split("Foxes.", "Hm.")),
        ("<think>Hm.</think><answer>Fox", Split("Fox", "Hm.")),
        ("<Thought>Hm.</Thought>\n<Output>Foxes.</Output>", Split("Foxes.", "Hm.")),
        (
            "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Foxes.<|END_RESPONSE|>",
            Split("Foxes.", "Hm."),
        ),
        ("<|START_RESPONSE|>Foxes.<|END_RESPONSE|>", Split("Foxes.")),
        (
            "<|begin_of_thought|>Hm.<|end_of_thought|>\n\n<|begin_of_solution|>Foxes."
            "<|end_of_solution|>",
            Split("Foxes.", "Hm."),
        ),
        ("Here's my thought process:\nHm.\nHere's my response:\nFoxes.", Split("Foxes.", "Hm.")),
        (
            '<details type="reasoning" done="true" duration="2">\n<summary>Thought</summary>\nHm.\n'
            "</details>\nFoxes.",
            Split("Foxes.", "Hm."),
        ),
        ("<think>Hm.</think><think>So.</think>Foxes.", Split("Foxes.", "Hm.\nSo.")),
        ('<think signature="s" redacted="true">\ngAAAA==\n</think>\nFoxes.', Split("Foxes.")),
        ("<answer>Foxes.</answer>", Split("<answer>Foxes.</answer>")),
        ("Here is my thought process: I looked.", Split("Here is my thought process: I looked.")),
        ("analysis of foxes", Split("analysis of foxes")),
        ("[Reasoning] Foxes sleep.", Split("[Reasoning] Foxes sleep.")),
        ("<thinker> is a word", Split("<thinker> is a word")),
    ],
)
def test_wrappers_and_words_that_only_look_like_marks(text: str, expected: Split) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    "piece", ["`</think>", "<think>", "<think></think>", "analysis", HARMONY, "<think ", "<|end|>"]
)
def test_hostile_text_costs_no_time(piece: str) -> None:
    started = time.perf_counter()
    split(piece * 50_000)
    assert time.perf_counter() - started < 5
