"""Which trained students are read as students, and how often others are."""
