"""A zoo: models of known lineage, made on this machine, to test what kinship tests say of them."""
