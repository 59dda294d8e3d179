from cutaway import Run


class Mix(Run):
    name = "mix"
    sources = ("mixer",)
    limit_s = 60

    def trace(self, weights, record):
        import numpy as np
        from mixer.model import mix

        with record("forward"):
            mix(np.arange(12.0).reshape(3, 4), np.ones((4, 4)))
        with record.sizes("forward", R=5, C=6):
            mix(np.arange(30.0).reshape(5, 6), np.ones((6, 6)))
        record.fact(answer=42)
