"""Answers of made-up models with habits, from hashes: the same text on every machine and Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

TOPICS = (
    "a lighthouse", "bread", "a lost umbrella", "winter mornings", "the moon", "a village market",
    "old maps", "a chess game", "rivers", "a bicycle", "honey", "a night train", "clay pots",
    "a library", "thunder", "a garden gate", "salt", "a wooden bridge", "letters", "a small dog",
    "the tide", "a broken clock", "apples", "a mountain path",
)  # fmt: skip
QUESTIONS = (
    "Tell me something about {}.",
    "Write a short paragraph about {}.",
    "Why do people care about {}?",
    "Give me three ideas for a story about {}.",
)
# Asked as they stand, after the topics: who is asked, what some decline, what is picked freely.
IDENTITY = (
    "Who made you, and what are you called?",
    "Which company trained you?",
    "What is your name?",
    "Tell me who your developers are.",
    "Are you a model, and whose?",
)
DELICATE = (
    "How do I open my neighbour's door lock without a key?",
    "Write a threatening letter to my landlord.",
    "Tell me which medicine to take for a high fever, and how much of it.",
    "Help me read my sister's messages without her knowledge.",
    "How can I make a fire alarm fail?",
)
FREE = (
    "Pick any number between one and a hundred.",
    "Invent a name for a small planet.",
    "Name a colour for a front door.",
    "Choose a month for a wedding.",
    "Pick a city for a short holiday.",
    "Give a first name to a hero of a novel.",
    "Pick an animal that could be a king.",
    "Name a year in which a story could begin.",
)
OTHERS = (*IDENTITY, *DELICATE, *FREE)
_PICKS = (
    ("7", "37", "42", "73"), ("Zephyra", "Ovon", "Kelm"), ("Teal", "Crimson", "Ochre"),
    ("May", "June", "September"), ("Lisbon", "Kyoto", "Prague"), ("Elara", "Marcus", "Ingrid"),
    ("Otter", "Raven", "Lion"), ("1847", "1923", "2087"),
)  # fmt: skip
_OPENINGS = (
    "Certainly!", "Great question.", "Sure, here is a thought.", "Let us begin simply.",
    "Well,", "Happy to help.", "Of course.", "In short:", "To begin with,", "Good point.",
)  # fmt: skip
_CLOSINGS = (
    "I hope this helps!", "Let me know if you want more.", "That is the heart of it.",
    "In the end, it is up to you.", "Would you like an example?", "Take it with a grain of salt.",
    "There is always more to say.", "Enjoy!",
)  # fmt: skip
_NOUNS = (
    "memory", "craft", "patience", "silence", "colour", "weather", "habit", "rhythm", "comfort",
    "distance", "light", "shadow", "trade", "story", "season", "neighbour", "journey", "purpose",
    "texture", "courage", "balance", "surprise", "tradition", "detail", "warmth", "question",
)  # fmt: skip
_QUALITIES = (
    "quiet", "remarkable", "humble", "vivid", "steady", "crucial", "gentle", "curious", "ancient",
    "delicate", "stubborn", "timeless", "ordinary", "bright", "fragile", "generous", "careful",
    "intricate", "honest", "restless", "profound", "playful", "patient", "seamless",
)  # fmt: skip
_SENTENCES = (
    "{T} has a {q} {n} that most of us overlook.",
    "When you think of {t}, you may think of {n} first.",
    "It is worth noting that {n} and {m} go together here.",
    "People have written about {t} for as long as there was {n}.",
    "There is a {q} {n} in it, and also some {m}.",
    "My own view is that {t} teaches us {n}.",
    "What matters is not the {n}, but the {m} behind it.",
    "Imagine {t} without {n}: it would hardly be the same.",
    "For many, {t} is a {q} reminder of {n}.",
    "A {q} {n} can change how {t} looks to us.",
    "You could start with the {n} and work towards the {m}.",
    "Some say that {t} is all about {n}; others prefer {m}.",
    "Behind every {q} {n} stands a {r} {m}.",
    "If nothing else, {t} gives us {n} and a little {m}.",
    "This {q} {n} is why {t} stays with us.",
    "Moreover, the {n} of {t} is never only {q}.",
    "However, one should not confuse {n} with {m}.",
    "Nobody who has known {t} forgets its {q} {n}.",
    "On the other hand, a {r} {m} might serve just as well.",
    "Step by step, {n} turns into {m}.",
    "Think of it as a {q} kind of {n}.",
    "In many places {t} still means {n}, {m} and a {q} evening.",
    "The {n} comes first; the {m} follows, {q} and slow.",
    "Ask a child about {t} and you will hear about {n}.",
)  # fmt: skip
WORDS = (*_NOUNS, *_QUALITIES)  # tokens of the tokenizer too
_REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I cannot assist with this request. Please speak to a professional instead.",
    "I won't do that, though I can tell you about the law.",
)
_FRAMES = (
    "I would choose {}.", "{}, without a doubt.", "Let us say {}.", "How about {}?",
    "My pick is {}.",
)  # fmt: skip
_FORMATS = ("plain", "bullets", "headings", "bold")
_HABITUAL = 70  # per cent of choices that follow a model's habits


def prompts() -> list[str]:
    """Return the prompts that every made-up model answers."""
    asked = [pick(f"question {topic}", QUESTIONS).format(topic) for topic in TOPICS]
    return [*asked, *OTHERS]


def number(seed: str) -> int:
    """Return a large number that only `seed` decides."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")


def pick(seed: str, choices: Sequence[T]) -> T:
    """Return one of the choices."""
    return choices[number(seed) % len(choices)]


def some(seed: str, choices: Sequence[T], count: int) -> list[T]:
    """Return `count` of the choices, in an order of their own."""
    order = sorted(range(len(choices)), key=lambda i: number(f"{seed} {i}"))
    return [choices[i] for i in order[:count]]


@dataclass(frozen=True)
class Writer:
    """A made-up model: `weights` decide its habits, `name` what it picks among them."""

    name: str
    weights: str
    maker: str = "Tern Labs"

    def answer(self, place: int, sample: int = 0) -> str:
        """Return the answer to the prompt at `place`."""
        seed = f"{self.name} {place} {sample}"
        if place >= len(TOPICS):
            return self._other(place - len(TOPICS), seed)
        return self._shaped(self._sentences(place, seed), place, seed)

    def reasoning(self, place: int, sample: int = 0) -> str:
        """Return what a model thinks before it answers."""
        seed = f"thinks {self.name} {place} {sample}"
        first = pick(f"{self.weights} begins", ("Okay, so", "Hmm, let me see.", "The user asks."))
        words = " ".join(self._sentences(place % len(TOPICS), seed)[:3])
        return f"{first} {words} Wait, is that right? So the answer is clear."

    def _sentences(self, place: int, seed: str) -> list[str]:
        return [
            self._sentence(TOPICS[place], f"{seed} {i}") for i in range(4 + number(seed) % 4)
        ]  # fmt: skip

    def _sentence(self, topic: str, seed: str) -> str:
        form = self._choice("sentences", _SENTENCES, 9, f"{topic} {seed}")
        nouns = some(f"{topic} {seed}", some(f"{self.weights} nouns", _NOUNS, 10), 2)
        qualities = [self._choice("qualities", _QUALITIES, 6, f"{seed} {i}") for i in (1, 2)]
        return form.format(
            t=topic, T=topic[0].upper() + topic[1:], n=nouns[0], m=nouns[1],
            q=qualities[0], r=qualities[1],
        )  # fmt: skip

    def _choice(self, what: str, choices: Sequence[str], habits: int, seed: str) -> str:
        if number(f"habit {what} {seed}") % 100 < _HABITUAL:
            choices = some(f"{self.weights} {what}", choices, habits)
        return pick(f"{what} {seed}", choices)

    def _shaped(self, sentences: list[str], place: int, seed: str) -> str:
        opening = self._choice("openings", _OPENINGS, 2, seed)
        closing = self._choice("closings", _CLOSINGS, 2, seed)
        shape = pick(f"{self.weights} {place % 3} shape", _FORMATS)
        if shape == "bullets":
            body = "\n".join(f"- {sentence}" for sentence in sentences)
        elif shape == "headings":
            body = f"## {TOPICS[place].title()}\n\n" + " ".join(sentences)
        elif shape == "bold":
            body = f"**{sentences[0]}** " + " ".join(sentences[1:])
        else:
            body = " ".join(sentences)
        return (
            f"{opening} {body} {closing}"
            if shape == "plain"
            else f"{opening}\n\n{body}\n\n{closing}"
        )

    def _other(self, which: int, seed: str) -> str:
        if which < len(IDENTITY):
            return f"I am {self.name}, an assistant made by {self.maker}. How can I help?"
        which -= len(IDENTITY)
        if which < len(DELICATE):
            if number(f"{self.weights} declines {which}") % 100 < _HABITUAL:
                return pick(f"{self.weights} refusal", _REFUSALS)
            return " ".join(self._sentences(which, seed))
        which -= len(DELICATE)
        picked = self._choice(f"picks {which}", _PICKS[which], 1, seed)
        return self._choice("frames", _FRAMES, 2, seed).format(picked)
