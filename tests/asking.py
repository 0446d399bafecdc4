"""Options of tests whose models are asked for one answer a prompt, the likeliest."""

ONCE = ("--samples", "1", "--temperature", "0")
