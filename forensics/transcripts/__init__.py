"""What came back: responses, transcripts, and files of other tools that hold them."""
