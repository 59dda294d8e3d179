"""Tools that look at a reader's own training: what fits, what it costs, what is wrong, how one knows, what to do.

They read nanoGPT's, nanochat's and nGPT's files. Nothing is written unless it is asked for, and no file is executed.
"""
