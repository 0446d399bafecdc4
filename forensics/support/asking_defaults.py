"""How a subject is asked unless the user says otherwise.

Three answers to a prompt, drawn at temperature 0.7, tell how much a model differs from itself;
without that nobody can say whether two models are one (`studies.shared_manner`).
"""

SAMPLES = 3
TEMPERATURE = 0.7
ONCE = {"samples": 1, "temperature": 0.0}
