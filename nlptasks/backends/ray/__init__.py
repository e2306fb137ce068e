"""A backend on the nodes of a Ray cluster: requests spread over workers, each with the model to itself.

``cluster`` says where workers run, ``worker`` is one of them, ``crew`` places, feeds and replaces them, ``backend`` is
what the engine sees. Guards, cache and deduplication stay around it, in the process that asks.
"""

from __future__ import annotations

from nlptasks.backends.ray.backend import Spread as Spread
from nlptasks.backends.ray.cluster import Cluster as Cluster
