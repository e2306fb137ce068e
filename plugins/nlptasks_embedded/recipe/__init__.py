"""How the parts of the embedded backend are made: one command, from a folder of data to the weights that are shipped.

``python -m nlptasks_embedded.recipe --help``
"""
