"""Model weights: read tensor by tensor, put into correspondence, and tested for kinship."""
