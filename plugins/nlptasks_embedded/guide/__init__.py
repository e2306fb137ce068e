"""The guide: what answers a chat where there is no chat model.

It is no language model. By rules it tells what the user wants, has the parts of the embedded backend do
it, or quotes the documentation; whatever it says is a fixed sentence, the user's own text, or a verbatim
passage of the documentation.

``speech`` reads words that ``lexicon`` and ``concepts`` know; ``orders``, ``loose`` and ``message`` tell
instructions from text; ``pages`` and ``search`` find what the documentation says; ``phrases`` holds the
fixed sentences; ``conversation`` decides.
"""
