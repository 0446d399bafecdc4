"""What weights that have nothing in common come to, in sentences that need no term of art."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.case.evidence import Evidence


def unrelated_weights(evidence: Sequence[Evidence]) -> list[str]:
    """Return why kinship by weights is excluded: what was compared, and what that would have seen.

    Args:
        evidence: all of a case.
    """
    tests = [e for e in evidence if e.tier == "weights" and e.status == "ok" and e.p_value]
    compared = ", ".join(dict.fromkeys(entry.title.lower() for entry in tests))
    by = f" in {len(tests)} test{'' if len(tests) == 1 else 's'} ({compared})" if tests else ""
    return [
        "Neither was made from the other: their weights agree no more than expected by "
        f"chance{by}.",
        "A fine-tuned, merged, quantised or pruned copy would have been detected, even with its "
        "units in another order.",
    ]
