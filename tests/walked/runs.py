from cutaway import Run


class Nets(Run):
    """Five models of which a walk can show more or less, each in a pass of its own."""

    name = "nets"
    sources = ("whole", "nameless", "fused", "choosing", "large")
    limit_s = 120

    def trace(self, weights, record):
        from importlib import import_module

        import torch

        torch.manual_seed(1)
        models = {name: import_module(f"{name}.model").Net().eval() for name in self.sources}
        given = {
            "whole": torch.arange(7)[None] % 5,
            "nameless": torch.randn(1, 9, 7),
            "fused": torch.randn(1, 6, 8),
            "choosing": torch.randn(1, 5, 6).abs(),
            "large": torch.ones(1, 2000, 4),
        }
        with torch.no_grad():
            for name, model in models.items():
                with record(name, model):
                    model(given[name])
                reads = {"letters": "ABCDE", "typed": 7} if name == "whole" else {}
                record.live(name, model, given[name], reads=reads)
            with record.sizes("whole", models["whole"], B=3, T=11, C=12, H=2, D=6, V=5):
                models["whole"](torch.arange(33).view(3, 11) % 5)
