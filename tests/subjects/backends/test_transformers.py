"""Local models: real ones, tiny, with random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import InputFileError
from forensics.examination.collect import collect
from forensics.subjects.backends import GenerationSettings
from forensics.subjects.backends.chat_template import TEMPLATE_DATE, ChatTemplate, fold_system
from forensics.subjects.backends.transformers import _Loaded, _split
from forensics.subjects.model_files.sources import read_template
from forensics.subjects.subject import parse_subject
from forensics.suites.suite import Message, Prompt, Suite
from forensics.transcripts.thinking import Split
from forensics.transcripts.transcript import Response
from tests.subjects.backends.tiny_model import (
    CHATML,
    NO_SYSTEM,
    ask,
    copy_model,
    make_suite,
    make_tiny_model,
    open_tiny,
)

SUITE = make_suite(
    "Who are you?",
    "A list of words: one two three four five six seven eight nine ten.",
    "fox",
    "What do you like to do on a rainy day in the small town by the sea, and why is that so?",
    "The lazy dog runs on",
)
GREEDY = GenerationSettings(max_tokens=24)


@pytest.fixture(name="plain", scope="module")
def plain_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("plain") / "tiny-base")


@pytest.fixture(name="chat", scope="module")
def chat_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("chat") / "tiny-chat", CHATML)


def greedy_tokens(folder: Path, prompt: str, count: int) -> list[int]:
    """Return the most likely continuation, one whole forward pass a token."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ids = AutoTokenizer.from_pretrained(folder)(prompt)["input_ids"]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    start = len(ids)
    with torch.inference_mode():
        for _ in range(count):
            ids.append(int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    return ids[start:]


class TestGreedy:
    def test_a_padded_batch_answers_like_one_at_a_time(self, plain: Path) -> None:
        together = ask(open_tiny(plain, batch_size=5), SUITE, GREEDY)
        alone = ask(open_tiny(plain, batch_size=1), SUITE, GREEDY)
        assert {k: r.text for k, r in together.items()} == {k: r.text for k, r in alone.items()}
        assert len({r.text for r in together.values()}) == len(SUITE.prompts)

    def test_a_start_that_a_batch_shares_changes_no_answer(self, plain: Path) -> None:
        told = replace(GREEDY, system_prompt="Answer in a single word, and then stop. " * 3)
        together = ask(open_tiny(plain, batch_size=5), SUITE, told)
        alone = ask(open_tiny(plain, batch_size=1), SUITE, told)
        assert {k: r.text for k, r in together.items()} == {k: r.text for k, r in alone.items()}

    def test_is_what_the_weights_say_without_a_cache_or_padding(self, plain: Path) -> None:
        from transformers import AutoTokenizer

        prompt = SUITE.prompts[1].messages[0].content
        tokens = greedy_tokens(plain, prompt, 24)
        expected = AutoTokenizer.from_pretrained(plain).decode(tokens, skip_special_tokens=True)
        assert ask(open_tiny(plain), SUITE, GREEDY)["p1", 0].text == expected

    def test_leaves_the_models_own_generation_defaults_aside(
        self, plain: Path, tmp_path: Path
    ) -> None:
        folder = copy_model(plain, tmp_path)
        own = {"do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0, "eos_token_id": 1}
        (folder / "generation_config.json").write_text(json.dumps(own))
        before = {k: r.text for k, r in ask(open_tiny(plain), SUITE, GREEDY).items()}
        assert {k: r.text for k, r in ask(open_tiny(folder), SUITE, GREEDY).items()} == before

    def test_is_silent(self, plain: Path, capfd: pytest.CaptureFixture[str]) -> None:
        ask(open_tiny(plain), SUITE, GREEDY)
        captured = capfd.readouterr()
        assert captured.out == ""
        assert captured.err == ""


class TestEnds:
    def test_an_answer_cut_at_the_limit_is_truncated(self, plain: Path) -> None:
        answer = ask(open_tiny(plain), SUITE, GREEDY)["p0", 0]
        assert (answer.status, answer.finish_reason) == ("truncated", "length")
        assert answer.output_tokens == 24
        assert answer.requested_at and answer.completed_at
        assert answer.requested_at <= answer.completed_at

    def test_each_prompts_own_limit_holds(self, plain: Path) -> None:
        prompts = tuple(replace(p, max_tokens=3 + 2 * i) for i, p in enumerate(SUITE.prompts))
        answers = ask(open_tiny(plain), replace(SUITE, prompts=prompts), GenerationSettings())
        assert [answers[p.id, 0].output_tokens for p in prompts] == [3, 5, 7, 9, 11]

    def test_an_answer_that_ends_itself_is_ok(self, plain: Path, tmp_path: Path) -> None:
        # The first token the model gives that is not its first again becomes its end token.
        tokens = greedy_tokens(plain, "Who are you?", 24)
        end = next(token for token in tokens if token != tokens[0])
        folder = copy_model(plain, tmp_path)
        for name in ("config.json", "generation_config.json"):
            content = json.loads((folder / name).read_text())
            (folder / name).write_text(json.dumps(content | {"eos_token_id": end}))
        answer = ask(open_tiny(folder), SUITE, GREEDY)["p0", 0]
        assert (answer.status, answer.finish_reason) == ("ok", "stop")
        assert answer.output_tokens == tokens.index(end) + 1

    def test_a_prompt_beyond_the_context_is_an_error_and_the_others_are_answered(
        self, plain: Path
    ) -> None:
        suite = make_suite("Who are you?", "dog " * 300)
        answers = ask(open_tiny(plain), suite, GREEDY)
        assert answers["p0", 0].status == "truncated"
        assert answers["p1", 0].status == "error"
        assert "context of 256" in str(answers["p1", 0].error)

    def test_hostile_prompts_never_crash(self, plain: Path) -> None:
        suite = make_suite("a\x00b", "\ud800", "", "\x1b[31m[bold]<script>", "fox")
        answers = ask(open_tiny(plain), suite, GREEDY)
        statuses = [answers[p.id, 0].status for p in suite.prompts]
        assert statuses == ["truncated", "error", "error", "truncated", "truncated"]


class TestSampling:
    HOT = GenerationSettings(max_tokens=16, temperature=1.0, samples=3, seed=5)

    def test_the_same_seed_draws_the_same_however_the_batches_are_cut(self, plain: Path) -> None:
        # One identity, so that only the batches differ.
        backend = open_tiny(plain, batch_size=8)
        whole = ask(backend, SUITE, self.HOT)
        assert {k: r.text for k, r in ask(backend, SUITE, self.HOT).items()} == {
            k: r.text for k, r in whole.items()
        }
        part = replace(SUITE, prompts=SUITE.prompts[2:3])
        for key, response in ask(backend, part, self.HOT).items():
            assert response.text == whole[key].text

    def test_samples_and_seeds_differ(self, plain: Path) -> None:
        answers = ask(open_tiny(plain), SUITE, self.HOT)
        assert len({answers["p0", i].text for i in range(3)}) == 3
        other = ask(open_tiny(plain), SUITE, replace(self.HOT, seed=6))
        assert other["p0", 0].text != answers["p0", 0].text

    def test_draws_from_the_softmax(self, plain: Path) -> None:
        """400 one-token samples against the model's own probabilities, by chi-square."""
        import torch
        from scipy.stats import chisquare
        from transformers import AutoModelForCausalLM, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(plain)
        model = AutoModelForCausalLM.from_pretrained(plain, dtype=torch.float32)
        ids = tokenizer("fox", return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            logits = model(ids).logits[0, -1]
        settings = GenerationSettings(max_tokens=1, temperature=0.5, samples=400)
        answers = ask(open_tiny(plain, batch_size=200), make_suite("fox"), settings)
        expected: dict[str, float] = {}
        for token, p in enumerate(torch.softmax(logits / 0.5, -1).tolist()):
            text = tokenizer.decode([token], skip_special_tokens=True)
            expected[text] = expected.get(text, 0.0) + 400 * p
        common = {text: n for text, n in expected.items() if n > 5}
        assert len(common) > 3
        observed = [sum(r.text == text for r in answers.values()) for text in common]
        rest = 400 - sum(common.values())
        assert rest > 5
        result = chisquare([*observed, 400 - sum(observed)], [*common.values(), rest])
        assert result.pvalue > 0.001


class TestTemplates:
    def test_none_is_recorded_and_the_text_goes_in_as_it_is(self, plain: Path) -> None:
        assert open_tiny(plain).identity()["template"] == "none"
        turns = (Message("user", "One"), Message("assistant", "Two"), Message("user", "Three"))
        assert ChatTemplate(None).render(turns, "Be brief") == "Be brief\n\nOne\n\nTwo\n\nThree"

    def test_chat_is_recorded_and_used(self, chat: Path, plain: Path) -> None:
        identity = open_tiny(chat).identity()
        assert identity["template"] == "chat"
        assert len(identity["template_sha256"]) == 64
        with_template = ask(open_tiny(chat), SUITE, GREEDY)["p0", 0]
        without = ask(open_tiny(plain), SUITE, GREEDY)["p0", 0]
        assert (with_template.input_tokens or 0) > (without.input_tokens or 0)
        assert with_template.text != without.text

    def test_renders_as_the_tokenizer_itself_does(self, chat: Path) -> None:
        from transformers import AutoTokenizer

        turns = [Message("system", "Be brief"), Message("user", "Who are you?")]
        own = AutoTokenizer.from_pretrained(chat).apply_chat_template(
            [{"role": m.role, "content": m.content} for m in turns],
            tokenize=False,
            add_generation_prompt=True,
        )
        assert ChatTemplate(CHATML).render(turns[1:], "Be brief") == own

    def test_a_template_without_system_role_gets_it_in_the_first_user_turn(self) -> None:
        template = ChatTemplate(NO_SYSTEM)
        assert template.identity()["system_role"] == "folded into the first user turn"
        rendered = template.render((Message("user", "Hello"),), "Be brief")
        assert rendered == "[user] Be brief\n\nHello\n"
        assert "system_role" not in ChatTemplate(CHATML).identity()

    def test_a_template_that_drops_the_system_message_gets_it_folded_too(self) -> None:
        silent = "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}{% endif %}"
        template = ChatTemplate(silent + "{% endfor %}")
        assert template.render((Message("user", "Hello"),), "Be brief") == "Be brief\n\nHello"

    @pytest.mark.parametrize(
        "refusal",
        [
            "{{ raise_exception('no') }}",
            "{{ messages[7].content.x }}",
            "{{ 1 // 0 }}",
            "{{ 'a' + 1 }}",
        ],
    )
    def test_a_template_that_fails_on_a_system_message_gets_it_folded(self, refusal: str) -> None:
        head = "{% if messages[0].role == 'system' %}" + refusal + "{% endif %}"
        rendered = ChatTemplate(head + CHATML).render((Message("user", "Hello"),), "Be brief")
        assert "Be brief\n\nHello" in rendered

    def test_a_template_that_goes_through_parts_is_given_parts(self) -> None:
        parts = (
            "{% for m in messages %}{{ m.role }}:{% for p in m.content %}"
            "{% if p.type == 'text' %}{{ p.text }}{% endif %}{% endfor %};{% endfor %}"
        )
        template = ChatTemplate(parts)
        assert template.render((Message("user", "Hello"),), "Brief") == "system:Brief;user:Hello;"
        assert template.identity()["content"] == "given as a list of text parts"
        assert "content" not in ChatTemplate(CHATML).identity()

    @pytest.mark.parametrize(
        ("named", "used"),
        [
            ([{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}], "D"),
            ([{"name": "chat", "template": "C"}], "C"),
            ({"rag": "R", "default": "D"}, "D"),
            ([], None),
        ],
    )
    def test_of_named_templates_the_default_is_used(
        self, tmp_path: Path, named: Any, used: str | None
    ) -> None:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
        assert read_template(tmp_path) == used

    def test_named_templates_without_a_default_are_named(self, tmp_path: Path) -> None:
        named = [{"name": name, "template": "x"} for name in ("tool_use", "rag")]
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
        with pytest.raises(InputFileError, match=r"'rag', 'tool_use'.*none of them 'default'"):
            read_template(tmp_path)

    def test_folding_keeps_the_other_turns(self) -> None:
        turns = [Message("assistant", "A"), Message("system", "S"), Message("user", "U")]
        assert fold_system(turns) == [Message("assistant", "A"), Message("user", "S\n\nU")]
        assert fold_system([Message("system", "S")]) == [Message("user", "S")]

    def test_the_date_of_a_template_stands_still(self) -> None:
        template = ChatTemplate("{{ strftime_now('%Y-%m-%d') }} {{ messages[-1].content }}")
        assert template.render((Message("user", "Hello"),)).startswith(TEMPLATE_DATE)
        assert template.identity()["template_date"] == TEMPLATE_DATE

    def test_a_prompt_the_template_refuses_is_an_error_of_that_prompt(
        self, chat: Path, tmp_path: Path
    ) -> None:
        strict = "{% if messages|length > 1 %}{{ raise_exception('one turn only') }}{% endif %}"
        folder = copy_model(chat, tmp_path)
        (folder / "chat_template.jinja").write_text(strict + CHATML)
        turns = (Message("user", "One"), Message("assistant", "Two"), Message("user", "Three"))
        suite = Suite("s", "1", "S", (Prompt("long", turns), SUITE.prompts[0]))
        answers = ask(open_tiny(folder), suite, GREEDY)
        assert "one turn only" in str(answers["long", 0].error)
        assert answers["p0", 0].status == "truncated"

    @pytest.mark.parametrize(
        ("opening", "closing"), [("[THINK]", "[/THINK]"), ("<|think:start|>", "<|think:end|>")]
    )
    def test_thinking_between_special_tokens_is_reasoning(
        self, plain: Path, opening: str, closing: str
    ) -> None:
        """Decoding drops special tokens: of Mistral's models the thinking would be the answer."""
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(plain)
        tokenizer.add_special_tokens({"additional_special_tokens": [opening, closing, "<|x|>"]})
        special = {i: str(t) for i, t in tokenizer.added_tokens_decoder.items() if t.special}
        loaded = _Loaded(
            None, tokenizer, ChatTemplate(None, {}), frozenset({1}), None, "m", special
        )
        tokens = tokenizer(f"{opening}the fox{closing}the<|x|> dog<|im_end|>")["input_ids"]
        assert _split(loaded, tokens, "") == Split("the dog", "the fox")
        bare = tokenizer("the fox<|x|><|im_end|>")["input_ids"]
        assert _split(loaded, bare, "") == Split("the fox")

    def test_thinking_that_the_template_opens_is_reasoning(
        self, chat: Path, tmp_path: Path
    ) -> None:
        folder = copy_model(chat, tmp_path)
        (folder / "chat_template.jinja").write_text(CHATML + "<think>\n")
        answer = ask(open_tiny(folder), SUITE, GREEDY)["p0", 0]
        assert answer.text == ""
        assert answer.reasoning


class TestCollect:
    def test_a_resumed_run_asks_only_what_is_open(self, plain: Path, tmp_path: Path) -> None:
        subject = parse_subject(f"hf:{plain}")
        path = tmp_path / "answers.jsonl"

        def stop_after_two(response: Response) -> None:
            if path.read_bytes().count(b"\n") == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            collect(SUITE, subject, open_tiny(plain, batch_size=2), GREEDY, path, stop_after_two)
        asked: list[Response] = []
        resumed = collect(
            SUITE, subject, open_tiny(plain, batch_size=2), GREEDY, path, asked.append
        )
        assert len(asked) == 3
        whole = collect(
            SUITE, subject, open_tiny(plain, batch_size=2), GREEDY, tmp_path / "whole.jsonl"
        )
        texts = {r.prompt.id: r.text for r in whole.responses}
        assert {r.prompt.id: r.text for r in resumed.responses} == texts

    def test_a_finished_run_loads_nothing(self, plain: Path, tmp_path: Path) -> None:
        subject, path = parse_subject(f"hf:{plain}"), tmp_path / "answers.jsonl"
        collect(SUITE, subject, open_tiny(plain), GREEDY, path)
        again = open_tiny(plain)
        collect(SUITE, subject, again, GREEDY, path)
        assert "_loaded" not in vars(again)


class TestIdentity:
    def test_is_the_content_and_not_the_place(self, plain: Path, tmp_path: Path) -> None:
        moved = copy_model(plain, tmp_path)
        assert open_tiny(moved).identity() == open_tiny(plain).identity()
        assert str(tmp_path) not in json.dumps(dict(open_tiny(moved).identity()))

    @pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
    def test_changes_with_any_file_that_matters(
        self, plain: Path, tmp_path: Path, name: str
    ) -> None:
        changed = copy_model(plain, tmp_path)
        content = (changed / name).read_bytes()
        weights = name.endswith(".safetensors")  # where nothing may stand behind the last tensor
        (changed / name).write_bytes(content[:-1] + b"\x3e" if weights else content + b" ")
        assert open_tiny(changed).identity() != open_tiny(plain).identity()

    def test_holds_dtype_and_batch_size(self, plain: Path) -> None:
        identity = open_tiny(plain, dtype="bfloat16", batch_size=3).identity()
        assert (identity["dtype"], identity["batch_size"]) == ("bfloat16", 3)
