"""One process, one model, every task: ``nlptasks serve``.

``desk`` puts the samples of all clients into one pool; ``service`` is what is served, to whom and how much of it;
``asking`` waits for answers with a client that may leave; ``tasks``, ``chat``, ``status`` and ``pages`` are the routes,
``conversation`` is what a chat's body holds, ``body``, ``errors`` and ``schema`` are what they share; ``app`` puts them
together, ``listen`` runs it. The folder ``page`` is what a browser shows.
"""
