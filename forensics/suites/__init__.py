"""What is asked: prompts, suites and the files they are read from."""
