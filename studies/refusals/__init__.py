"""What weighs the marks of a refusal: the fit on human labels, and its error rates."""
