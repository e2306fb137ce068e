"""Our own decoding of models that continue text: rows join and leave a running batch, and share what they begin with.

``attention`` computes, ``cache`` keeps keys and values, ``prefixes`` finds what prompts share, ``decoder`` runs the
batch, ``session`` feeds it.
"""
