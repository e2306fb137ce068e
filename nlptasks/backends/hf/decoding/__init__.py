"""Our own decoding: rows join and leave a running batch, and share what they begin with or are made from.

``interface`` puts our attention in a model's place. For models that continue text, ``attention`` computes, ``cache``
keeps keys and values, ``prefixes`` finds what prompts share, ``decoder`` runs the batch, ``sampling`` chooses its
tokens, ``session`` feeds it. For encoder-decoders, ``search`` is the loop, ``choices`` chooses tokens, ``branches`` is
what beams have behind them.
"""
