"""How the book looks: colours, typefaces, the one stylesheet and the one script, by the digests of their bytes."""
