"""Training: any task learns from its own prompts and references, or a model begins from nothing.

``train.py`` is the one call; ``examples.py`` reads data, ``families/`` says how each family of local models learns,
``trainer.py`` runs transformers' Trainer, ``scratch.py`` makes a tokenizer and a model where there is none yet.
"""
