from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.transcripts.words import is_word, ngram_hashes, shared_runs, tokens, words

WORDS = st.lists(st.sampled_from("a b c d the of cat dog".split()), max_size=30)
ANY_TEXT = st.text(st.characters(codec=None), max_size=80)


def test_words_are_folded():
    assert words("Don’t STOP – “now”…") == words('don\'t stop - "now".')


def test_unspaced_scripts_count_one_word_a_character():
    assert words("我是AI助手") == ["我", "是", "ai", "助", "手"]


def test_marks_stay_with_their_letters():
    assert len(words("नमस्ते दुनिया")) == 2


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_words_are_the_forms_of_tokens_and_places_are_right(text):
    found = tokens(text)
    ends = [0, *(token.end for token in found)]
    for token, before in zip(found, ends, strict=False):
        assert before <= token.start < token.end <= len(text)
        assert not text[before : token.start].strip()
    assert all(form for form in words(text))


@given(st.text(st.sampled_from("abc ABC .,!'’“”–…"), max_size=60))
def test_words_are_the_forms_of_tokens(text):
    assert words(text) == [token.form for token in tokens(text)]


def test_numbers_and_marks_are_no_words():
    assert [form for form in words("Call 42 cats, 我!") if is_word(form)] == ["call", "cats", "我"]


@given(WORDS, st.integers(1, 6))
def test_ngram_hashes_agree_exactly_where_ngrams_do(forms, n):
    hashes = ngram_hashes(forms, n)
    grams = [tuple(forms[i : i + n]) for i in range(len(forms) - n + 1)]
    assert len(hashes) == len(grams)
    assert len(set(hashes.tolist())) == len(set(grams))
    by_gram = dict(zip(grams, hashes.tolist(), strict=True))
    assert [by_gram[gram] for gram in grams] == hashes.tolist()


def test_ngram_hashes_do_not_change_between_runs():
    # Stored cohort packs rest on these values.
    assert ngram_hashes("the cat sat on".split(), 4).tolist() == [16911118545645242166]


def _brute_longest(a: list[str], b: list[str]) -> int:
    best = 0
    for i in range(len(a)):
        for j in range(len(b)):
            k = 0
            while i + k < len(a) and j + k < len(b) and a[i + k] == b[j + k]:
                k += 1
            best = max(best, k)
    return best


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS)
def test_the_longest_shared_run_is_that_of_a_brute_force_search(a, b):
    runs = shared_runs(" ".join(a), " ".join(b), "", min_words=3)
    longest = _brute_longest(a, b)
    assert max((run.novel_words for run in runs), default=0) <= longest
    assert bool(runs) == (longest >= 3)


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS)
def test_shared_runs_are_the_same_words_in_both_texts(a, b):
    first, second = " ".join(a), " ".join(b)
    runs = shared_runs(first, second, "", min_words=3)
    for run in runs:
        shared = first[slice(*run.a)]
        assert shared == second[slice(*run.b)]
        assert run.novel_words == len(shared.split()) >= 3
    assert all(x.a[1] <= y.a[0] for x, y in itertools.pairwise(runs))


def test_a_planted_run_is_found_whole():
    draw = random.Random(0)
    noise = [f"w{n}" for n in range(400)]
    planted = "the old lantern swung above the quiet road all night".split()
    for _ in range(20):
        a, b = draw.sample(noise[:200], 60), draw.sample(noise[200:], 60)
        i, j = draw.randrange(60), draw.randrange(60)
        first = " ".join(a[:i] + planted + a[i:])
        [run] = shared_runs(first, " ".join(b[:j] + planted + b[j:]), "")
        assert first[slice(*run.a)] == " ".join(planted)
        assert run.novel_words == len(planted)


def test_the_prompts_own_words_do_not_count():
    question = "write a poem about the old lantern that swung above the road"
    assert shared_runs(question, question, question) == []
    answer = f"{question} and then nobody ever came home again"
    [run] = shared_runs(answer, answer, question)
    assert run.novel_words == 7


def test_case_and_quotes_do_not_hide_a_run():
    assert shared_runs("It’s THE Way we “all” go", 'it\'s the way we "all" go', "")


def test_endless_repetition_is_searched_in_reasonable_steps():
    assert shared_runs("a " * 10_000, "a " * 9_999, "")[0].novel_words == 9_999
    assert shared_runs("ab " * 10_000, "cd " * 10_000, "") == []
