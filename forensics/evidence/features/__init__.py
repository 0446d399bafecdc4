"""What several kinds of evidence are made of: words, formatting, embeddings, matched prompts."""
