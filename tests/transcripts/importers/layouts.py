"""One small document of every layout that people hold, in words of our own."""

from __future__ import annotations

from typing import Any

FASTCHAT = [
    {
        "question_id": 7,
        "answer_id": "a",
        "model_id": "owl",
        "choices": [
            {"index": 0, "turns": ["It drips.", "It pours."]},
            {"index": 1, "turns": ["It falls.", "It stops."]},
        ],
        "tstamp": 1.0,
    },
    {
        "question_id": "8",
        "answer_id": "b",
        "model_id": "owl",
        "choices": [{"index": 0, "turns": [{"content": "Snow.", "token_len": 2}]}],
    },
]
QUESTIONS = [
    {"question_id": 7, "category": "writing", "turns": ["What does rain do?", "And then?"]},
    {"question_id": "8", "category": "weather", "turns": [{"content": "What is white?"}]},
]
ARENA_HARD = [
    {
        "uid": "u1",
        "ans_id": "z",
        "model": "owl",
        "messages": [
            {"role": "user", "content": "Name a bird."},
            {"role": "assistant", "content": {"answer": "A wren.", "thought": "small ones"}},
        ],
        "tstamp": 1.0,
        "metadata": {"token_len": 5},
    },
    {
        "uid": "u2",
        "ans_id": "y",
        "model": "owl",
        "messages": [
            {"role": "user", "content": "Name a fish."},
            {"role": "assistant", "content": {"answer": "$ERROR$"}},
        ],
    },
]
SHAREGPT = [
    {
        "id": "c1",
        "model": "owl",
        "conversations": [
            {"from": "system", "value": "Be kind."},
            {"from": "human", "value": "Name a tree."},
            {"from": "gpt", "value": "An elm."},
            {"from": "user", "value": "Another."},
            {"from": "chatgpt", "value": "An ash."},
            {"from": "human", "value": "Thanks."},
        ],
    },
    {"id": "c2", "conversations": [{"from": "human", "value": "Anyone?"}]},
]
LMSYS = [
    {
        "conversation_id": "x1",
        "model": "owl",
        "conversation": [
            {"role": "user", "content": "Name a river."},
            {"role": "assistant", "content": "The Ems."},
        ],
        "turn": 1,
        "language": "English",
        "redacted": False,
    },
    {
        "question_id": "q1",
        "model_a": "elk",
        "model_b": "yak",
        "winner": "tie",
        "conversation_a": [
            {"role": "user", "content": "Name a lake."},
            {"role": "assistant", "content": [{"type": "text", "text": "Ladoga."}]},
        ],
        "conversation_b": [
            {"role": "user", "content": "Name a lake."},
            {"role": "assistant", "content": "Peipus."},
        ],
    },
]
ANTHROPIC_BATCH = [
    {
        "custom_id": "one",
        "result": {
            "type": "succeeded",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "owl-3",
                "content": [
                    {"type": "thinking", "thinking": "short", "signature": "s"},
                    {"type": "text", "text": "Rivers flow."},
                ],
                "stop_reason": "max_tokens",
                "usage": {"input_tokens": 4, "output_tokens": 3},
            },
        },
    },
    {
        "custom_id": "two",
        "result": {
            "type": "errored",
            "error": {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
        },
    },
    {"custom_id": "three", "result": {"type": "expired"}},
]
ANTHROPIC_REQUESTS = [
    {
        "custom_id": "one",
        "params": {
            "model": "owl-3",
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [{"role": "user", "content": "What do rivers do?"}],
        },
    },
    {"custom_id": "two", "params": {"messages": [{"role": "user", "content": "And seas?"}]}},
    {"custom_id": "three", "params": {"messages": [{"role": "user", "content": "And lakes?"}]}},
]
GEMINI_BATCH = [
    {
        "key": "one",
        "response": {
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [{"text": "hm", "thought": True}, {"text": "Hills rise."}],
                    },
                    "finishReason": "STOP",
                }
            ],
            "modelVersion": "gem-2",
            "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 3},
        },
    },
    {"key": "two", "error": {"code": 8, "message": "quota"}},
    {
        "key": "three",
        "response": {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "gem-2"},
    },
]
VERTEX = [
    {
        "request": {
            "contents": [{"parts": [{"text": "What do hills do?"}], "role": "user"}],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
        },
        "response": {
            "candidates": [
                {"content": {"parts": [{"text": "They"}]}, "finishReason": "MAX_TOKENS"},
            ],
            "modelVersion": "gem-2",
        },
        "status": "",
        "processed_time": "2025-01-02T03:04:05Z",
    },
    {
        "request": {"contents": [{"parts": [{"text": "Why?"}], "role": "user"}]},
        "response": {},
        "status": "Bad Request: no",
        "processed_time": "2025-01-02T03:04:06Z",
    },
]
OPENAI_LOG = [
    {
        "object": "list",
        "data": [
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "model": "owl-4",
                "messages": [{"role": "user", "content": "Name a cloud."}],
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": "Cirrus."},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {"prompt_tokens": 4, "completion_tokens": 2},
            },
            {
                "id": "chatcmpl-2",
                "object": "chat.completion",
                "model": "owl-4",
                "choices": [{"message": {"content": "Stratus."}, "finish_reason": "length"}],
            },
        ],
        "has_more": False,
    }
]
RESPONSES_LOG = [
    {
        "request": {
            "model": "owl-5",
            "instructions": "Be brief.",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Why?"}]}],
        },
        "response": {
            "object": "response",
            "model": "owl-5",
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "So."}],
                },
            ],
        },
    },
    {
        "request": {
            "body": '{"model": "owl-5", "messages": [{"role": "user", "content": "How?"}]}'
        },
        "response": {"status_code": 429, "body": {"error": {"message": "slow down"}}},
    },
]
LITELLM = [
    {
        "id": "1",
        "call_type": "acompletion",
        "model": "owl",
        "messages": [{"role": "user", "content": "Name a stone."}],
        "response": {
            "model": "owl-2025",
            "choices": [{"message": {"role": "assistant", "content": "Flint."}}],
        },
        "status": "success",
        "response_cost": 0.1,
    },
    {
        "request_id": "2",
        "call_type": "completion",
        "model": "owl",
        "messages": "{}",
        "proxy_server_request": '{"messages": [{"role": "user", "content": "Name a metal."}]}',
        "response": '{"choices": [{"message": {"content": "Tin."}, "finish_reason": "stop"}]}',
    },
    {
        "id": "3",
        "call_type": "acompletion",
        "model": "owl",
        "messages": [{"role": "user", "content": "Name a gas."}],
        "response": {},
        "status": "failure",
        "error_str": "timeout",
    },
    {
        "id": "4",
        "call_type": "aembedding",
        "model": "owl",
        "messages": [],
        "response": {"data": []},
    },
]
LANGFUSE = [
    {
        "id": "o1",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": "2025-01-02T03:04:05Z",
        "model": "owl",
        "input": {"messages": [{"role": "user", "content": "Name a colour."}]},
        "output": {"role": "assistant", "content": "Teal."},
        "level": "DEFAULT",
    },
    {
        "id": "o2",
        "trace_id": "t",
        "type": "GENERATION",
        "start_time": "2025-01-02 03:04:06",
        "provided_model_name": "owl",
        "input": '[{"role": "user", "content": "Name a shape."}]',
        "output": '{"shape": "An oval."}',
    },
    {"id": "o3", "traceId": "t", "type": "SPAN", "startTime": "x", "input": {}, "output": {}},
    {
        "id": "o4",
        "traceId": "t",
        "type": "GENERATION",
        "startTime": "x",
        "model": "owl",
        "input": "Name a sound.",
        "output": None,
        "level": "ERROR",
        "statusMessage": "cut",
    },
]
HELM = [
    {
        "adapter_spec": {"method": "generation", "model": "org/owl", "model_deployment": "x/owl"},
        "request_states": [
            {
                "instance": {"input": {"text": "2 + 2?"}, "id": "id1", "split": "test"},
                "train_trial_index": 0,
                "request": {"model": "org/owl", "prompt": "Q: 2 + 2?\nA:", "num_completions": 2},
                "result": {
                    "success": True,
                    "completions": [
                        {"text": " 4", "finish_reason": {"reason": "stop"}, "tokens": []},
                        {"text": " fo", "finish_reason": {"reason": "length"}, "tokens": []},
                    ],
                },
            },
            {
                "instance": {"input": {"text": "Hi"}, "id": "id2"},
                "request": {
                    "model": "org/owl",
                    "prompt": "",
                    "messages": [{"role": "user", "content": "Hi"}],
                },
                "result": {"success": False, "error": "timeout", "completions": []},
            },
        ],
    }
]
PROMPTFOO = [
    {
        "evalId": "eval-x",
        "results": {
            "version": 3,
            "prompts": [],
            "results": [
                {
                    "promptIdx": 0,
                    "testIdx": 0,
                    "provider": {"id": "openai:owl", "label": ""},
                    "prompt": {"raw": "Name a herb.", "label": "p"},
                    "vars": {"kind": "herb"},
                    "response": {"output": "Sage.", "finishReason": "stop"},
                    "success": False,
                },
                {
                    "promptIdx": 1,
                    "testIdx": 0,
                    "provider": "openai:owl",
                    "prompt": {"raw": '[{"role": "user", "content": "Name a spice."}]'},
                    "vars": {},
                    "response": {"output": {"name": "clove"}},
                },
                {
                    "promptIdx": 0,
                    "testIdx": 1,
                    "provider": {"id": "elk"},
                    "prompt": {"raw": "Name a root."},
                    "vars": {},
                    "error": "API error: 500",
                    "response": {"error": "API error: 500"},
                },
            ],
            "stats": {},
        },
        "config": {},
    }
]
MESSAGE_TABLE = [
    {
        "model": "owl",
        "prompt": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Who?"}],
        "completion": [{"role": "assistant", "content": "Me."}],
    }
]

# Format → documents, by the name that `--format` takes.
LAYOUTS: dict[str, list[list[Any]]] = {
    "fastchat": [FASTCHAT],
    "arena-hard": [ARENA_HARD],
    "sharegpt": [SHAREGPT],
    "lmsys": [LMSYS],
    "anthropic-batch": [ANTHROPIC_BATCH],
    "gemini-batch": [GEMINI_BATCH, VERTEX],
    "openai-log": [OPENAI_LOG, RESPONSES_LOG],
    "litellm": [LITELLM],
    "langfuse": [LANGFUSE],
    "helm": [HELM],
    "promptfoo": [PROMPTFOO],
    "table": [MESSAGE_TABLE],
}
