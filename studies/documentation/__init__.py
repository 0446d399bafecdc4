"""The documentation site: what MkDocs adds to `docs/`, and reference pages made from the code."""
