"""What the verbs do, from settings to results; options and words are the command line's."""
