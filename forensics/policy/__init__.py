"""The policy of `forensics check`: what is declared of a model against what is measured.

- `model`: what a policy may say (pydantic), and its JSON Schema
- `reading`: TOML file → policy, with line numbers
- `outcomes`: what a check found, and the one function that makes an exit code of it
- `names`: which names mean the same model
- `measured`: what was measured of a reference, in the terms of rules
- `judgements`: one function a rule
- `rules`: measured references → outcomes, severities and allowances applied
- `false_alarms`: how many of 100 innocent models each rule would flag
- `terms`: models whose terms forbid training on their outputs
"""
