"""One module a peer: what is compared with it."""
