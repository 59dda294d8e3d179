"""nGPT: the transformer whose vectors all have length 1 (Loshchilov, Hsieh, Sun & Ginsburg, 2024, arXiv 2410.01131).

Read ``sphere.py`` first, then ``model.py``; ``baseline.py`` is the GPT that it is compared with.
"""
