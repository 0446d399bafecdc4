"""One command of the program in a scratch folder, and an endpoint for it to ask."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tests.compatibility.making import WRITERS, place_of
from tests.loopback import Call, Loopback, Reply, chat_reply, error_reply
from tests.processes import ROOT, Done, run_command

# What a user's machine may set and would change what is said.
_UNSET = ("FORENSICS_", "GITHUB_", "OPENAI_", "HF_", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHON")


def run(command: str, folder: Path, home: Path, hash_seed: str = "0", *, cold: bool = True) -> Done:
    """Run `forensics COMMAND` in a folder, with the code that lies beside these tests.

    Args:
        command: the arguments, as a shell would take them.
        folder: where it runs.
        home: a folder for caches and configuration.
        hash_seed: for `PYTHONHASHSEED`; nothing may hang on it.
        cold: start an interpreter for it.
    """
    environment = _environment(home, hash_seed)
    return run_command(shlex.split(command), cwd=folder, environment=environment, cold=cold)


def _environment(home: Path, hash_seed: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNSET)}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": hash_seed,
        "PYTHONIOENCODING": "utf-8",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "FORENSICS_CACHE": str(home / "forensics"),
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        # One thread: the order of sums, and with it the last digits, hangs on their number.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def endpoint() -> Loopback:
    """Return an endpoint (not started) that answers as the made-up model it is asked for does."""
    return Loopback(_reply)


def _reply(call: Call) -> Reply:
    model = str(call.body.get("model", ""))
    if model not in WRITERS:
        return error_reply(404, f"no model {model}", code="model_not_found")
    text = WRITERS[model].answer(place_of(call.prompt))
    if call.body.get("max_tokens", 1_000) <= 4:
        text = " ".join(text.split()[: call.body["max_tokens"]])
    reply = chat_reply(text)
    body = reply.body
    assert isinstance(body, dict)
    tokens = {"prompt_tokens": len(call.prompt) // 4 + 3, "completion_tokens": len(text) // 4 + 1}
    body |= {
        "id": f"chat-{call.number}",
        "model": f"{model}-2026-01",
        "system_fingerprint": f"fp_{model}",
        "usage": tokens | {"total_tokens": sum(tokens.values())},
    }
    return Reply(body, headers={"x-request-id": f"request-{call.number}"})
