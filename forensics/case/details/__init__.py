"""What each kind of evidence records beyond its scores: small records, a kind each."""
