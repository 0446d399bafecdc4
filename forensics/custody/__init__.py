"""Keeping a case beyond doubt: frozen plan, hash chain, bundle, derivation anew, blinding."""
