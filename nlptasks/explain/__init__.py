"""Seeing inside a local model: its tokens, and the attention that each layer and head pays among them.

``explanation`` asks a model and holds what it showed; ``terminal``, ``picture`` and ``page`` draw that. What
is shown as queries, keys, values and weights is what the model itself computed, not a reconstruction.
"""
