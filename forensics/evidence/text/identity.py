"""Identity: who do the subjects say they are, and who made them? Recorded, and weighed little.

The web is full of sentences in which some assistant names itself, so a claim is as easily picked up
from any training text as inherited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import regex

from forensics.case.details.text import IdentityDetails
from forensics.case.evidence import Evidence, Exhibit, NoiseFloor, Tier
from forensics.evidence.comparator import exhibit, scored, without_score
from forensics.evidence.features.matched_prompts import (
    Floats,
    group_by_prompt,
    percentile_interval,
    prompt_scores,
    resample_weights,
)
from forensics.examination.examined import Examined, Need
from forensics.transcripts.answers import Answer

MIN_CLAIMS = 5
_EXHIBITS = 3

# Public names of models and makers; the canonical maker stands first.
MAKERS: Mapping[str, str] = {
    "OpenAI": r"openai|open ai(?!\p{L})|chat\s?gpt|\bgpt\b|gpt-?[1-9jo]|gpt-?neo|\bdall-?e\b",
    "Anthropic": r"(?<!\p{L})anthropic|claude",
    "Google": r"google|deepmind|gemini|gemma|\b(?-i:Bard)\b|\b(?-i:PaLM)\b|\bpalm-2",
    "Meta": r"\b(?-i:Meta|META)\b|\bmeta[ -]?ai\b|\bmeta-llama|facebook|llama",
    "Microsoft": r"microsoft|copilot|\bphi-\d",
    "Mistral AI": r"mistral|mixtral",
    "Alibaba": r"alibaba|qwen|tongyi|通义|阿里",
    "DeepSeek": r"deepseek|深度求索",
    "Zhipu AI": r"zhipu|chatglm|智谱",
    "Moonshot AI": r"moonshot|kimi|月之暗面",
    "Baidu": r"baidu|\bernie\b|文心|百度",
    "01.AI": r"01\.ai|零一万物",
    "xAI": r"\bxai\b|\bgrok\b",
    "Cohere": r"\b(?-i:Cohere|COHERE)\b|cohere\.(?:ai|com)|cohereforai|\bcommand[- ][ar]\b",
    "NVIDIA": r"nvidia|nemotron",
    "IBM": r"\bibm\b|\bgranite-|\b(?-i:Granite)\b",
    "Hugging Face": r"hugging\s?face|smollm|zephyr",
    "LMSYS": r"lmsys|vicuna",
    "Nous Research": r"nous research|hermes",
    "Stability AI": r"stability ai|stablelm",
    "AI2": r"allen institute|\bai2\b|\bolmo\b|tülu|tulu",
    "TII": r"technology innovation institute|\b(?-i:TII)\b|\b(?-i:Falcon)\b|\bfalcon-?\d",
    "Databricks": r"databricks|\bdolly\b|\bdbrx\b",
    "Open Assistant": r"open\s?assistant|laion",
}
_MAKER = {maker: regex.compile(pattern, regex.IGNORECASE) for maker, pattern in MAKERS.items()}
# One of these stands in every name above: most answers hold none, and need not be searched.
_FRAGMENTS = tuple(
    "openai|open ai|gpt|dall|anthropic|claude|google|deepmind|gemini|gemma|bard|palm|meta|facebook|"
    "llama|microsoft|copilot|phi-|mistral|mixtral|alibaba|qwen|tongyi|通义|阿里|deepseek|深度求索|"
    "zhipu|glm|智谱|moonshot|kimi|月之暗面|baidu|ernie|文心|百度|01.ai|零一万物|xai|grok|cohere|"
    "command|nvidia|nemotron|ibm|granite|hugging|smollm|zephyr|lmsys|vicuna|nous|hermes|stability|"
    "stablelm|allen institute|ai2|olmo|tülu|tulu|innovation institute|tii|falcon|databricks|dolly|"
    "dbrx|open assistant|openassistant|laion".split("|")
)
# A name counts only close behind words by which a speaker introduces itself.
_CLAIM = regex.compile(
    r"(?:\bI(?: am|'m|’m| was|'ve been| have been)\b|\bmy name is\b|\bcall(?:ed)? me\b"
    r"|\b(?:created|made|developed|trained|built|designed) by\b"
    r"|\bsoy\b|\bme llamo\b|\bje (?:suis|m'appelle)\b|\bich (?:bin|heiße|wurde)\b|我是|我叫|由"
    r"|\bя\b|меня (?:зовут|создал\w*)|私は|أنا|\b(?:minä )?olen\b)"
    r"(?P<said>[^.!?\n。！？]{0,120})",
    regex.IGNORECASE,
)


@dataclass(frozen=True)
class IdentityClaim:
    """A maker claimed in an answer, with the place of the claiming words."""

    maker: str
    span: tuple[int, int]


@dataclass(frozen=True)
class IdentityClaims:
    """One subject's claims, prompt hash → claim, and its first answers."""

    by_prompt: Mapping[str, IdentityClaim]
    answers: Mapping[str, tuple[Answer, ...]]


@dataclass(frozen=True)
class Identity:
    """Compares claimed makers."""

    name: str = "identity"
    title: str = "Claimed identity"
    tier: Tier = "text"
    needs: frozenset[Need] = frozenset({"answers"})
    symmetric: bool = True

    def extract(self, examined: Examined) -> IdentityClaims:
        """Return the first claim in each prompt's first answer."""
        groups = group_by_prompt(examined.answers)
        claims = {prompt: claim_in(group[0].text) for prompt, group in groups.items()}
        return IdentityClaims({p: c for p, c in claims.items() if c is not None}, groups)

    def compare(self, a: IdentityClaims, b: IdentityClaims) -> Evidence:
        """Return the share of prompts on which both claim one maker, beyond chance."""
        prompts = tuple(sorted(set(a.by_prompt) & set(b.by_prompt)))
        details = IdentityDetails(claims_a=_tally(a), claims_b=_tally(b))
        if len(prompts) < MIN_CLAIMS:
            reason = (
                f"both name a maker of theirs on {len(prompts)} prompts; "
                f"at least {MIN_CLAIMS} are needed"
            )
            return without_score(
                self, "insufficient", reason, len(prompts), weight="low", details=details
            )
        agree = np.array([a.by_prompt[p].maker == b.by_prompt[p].maker for p in prompts], float)
        draws = resample_weights(len(prompts)) @ agree
        with_itself = [_self_agreement(side, prompts) for side in (a, b)]
        return scored(
            self,
            weight="low",
            scale="share of prompts on which both claim the same maker (of those where both claim)",
            score=float(agree.mean()),
            interval=percentile_interval(draws),
            noise_floor=NoiseFloor(a=with_itself[0], b=with_itself[1], method="resampled_prompts"),
            n=len(prompts),
            per_prompt=prompt_scores(prompts, agree, a.answers),
            exhibits=_exhibits(a, b, prompts, agree),
            caveats=("Claims of identity are copied from the web easily and weigh little.",),
            details=details,
        )


def claim_in(text: str) -> IdentityClaim | None:
    """Return the first maker a text claims for its speaker, or None."""
    head = text[:4_000]
    folded = head.casefold()
    if not any(fragment in folded for fragment in _FRAGMENTS):
        return None
    for match in _CLAIM.finditer(head):
        said = match.group("said")
        negated = regex.match(r"\s*(?:not|n't|no|nicht|pas|ne |не |不是)\b", said)
        named = [
            (hit.start(), maker, hit.end())
            for maker, pattern in _MAKER.items()
            if (hit := pattern.search(said)) is not None
        ]
        if named and not negated:
            _, maker, end = min(named)
            return IdentityClaim(maker, (match.start(), match.start("said") + end))
    return None


def _tally(claims: IdentityClaims) -> dict[str, int]:
    return dict(Counter(claim.maker for claim in claims.by_prompt.values()).most_common())


def _self_agreement(claims: IdentityClaims, prompts: Sequence[str]) -> float:
    """Return how often two different prompts draw the same claim from one subject."""
    counts = np.array(list(Counter(claims.by_prompt[p].maker for p in prompts).values()), float)
    n = len(prompts)
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))


def _exhibits(
    a: IdentityClaims, b: IdentityClaims, prompts: Sequence[str], agree: Floats
) -> tuple[Exhibit, ...]:
    same = [p for p, equal in zip(prompts, agree, strict=True) if equal]
    other = [p for p, equal in zip(prompts, agree, strict=True) if not equal]
    chosen = [("for", p) for p in same[:_EXHIBITS]] + [("against", p) for p in other[:_EXHIBITS]]
    return tuple(
        exhibit(
            side,
            a.answers[prompt][0],
            b.answers[prompt][0],
            float(side == "for"),
            spans_a=(a.by_prompt[prompt].span,),
            spans_b=(b.by_prompt[prompt].span,),
            note=f"A claims {a.by_prompt[prompt].maker}; B {b.by_prompt[prompt].maker}",
        )
        for side, prompt in chosen
    )
