"""The model that sorts six letters: what most of the book draws from."""

from cutaway import Run
from runs.models import load_weights, without_fused_attention


class Sort(Run):
    """The 85,584-parameter GPT that sorts six letters, traced on one word."""

    name = "sort"
    sources = ("nanogpt",)
    limit_s = 900
    budget_s = 25

    def train(self, log):
        from nanogpt import sort

        model = sort.train(report=log)
        words = sort.all_words()
        log.fact(
            **sort.evaluate(model),
            n_params=sum(p.numel() for p in model.parameters()),
            n_inputs=len(words),
            n_held_out=int(sort.is_held_out(words).sum()),
            iters=sort.MAX_ITERS,
        )
        return model.state_dict()

    def build(self, weights):
        """The trained model, with the attention that can be looked into.

        nanoGPT hands attention to one fused operation where PyTorch has it; hidden while the model is built, the
        explicit steps are taken instead. They need a mask buffer, which the weights don't hold.
        """
        from nanogpt import sort

        return load_weights(sort.config(), weights)

    def trace(self, weights, record):
        import torch

        from nanogpt import sort
        from nanogpt.model import GPT, GPTConfig

        model = self.build(weights)
        idx, targets = sort.example(sort.WORD)
        with torch.no_grad():
            with record("example"):
                sort.pairs(sort.encode(sort.WORD))
            with record("forward", model):
                model(idx, targets)
            with record("inference", model):
                model(idx)
            with record("generate", model):
                model.generate(idx[:, : sort.LENGTH], sort.LENGTH, top_k=1)
            # A reader types six letters; the model writes the rest.
            record.live("forward", model, idx, targets, reads={"letters": sort.LETTERS, "typed": sort.LENGTH})
            # Sizes that can't be taken for each other, nor for small multiples or products: they name the axes.
            sizes = {"B": 5, "T": 7, "C": 143, "H": 11, "D": 13, "V": 17}
            odd = GPTConfig(block_size=7, vocab_size=17, n_layer=model.config.n_layer, n_head=11, n_embd=143)
            with without_fused_attention():
                other = GPT(odd).eval()
            ids = torch.arange(35).view(5, 7) % 17
            with record.sizes("forward", other, **sizes):
                other(ids, ids)
            with record.sizes("inference", other, **sizes):
                other(ids)
        sizes = ("block_size", "vocab_size", "n_layer", "n_head", "n_embd")
        record.fact(
            sorted="".join(sort.LETTERS[i] for i in targets[targets >= 0].tolist()),
            T=idx.size(1),
            length=sort.LENGTH,
            D=model.config.n_embd // model.config.n_head,
            word=sort.WORD,
            **{name: getattr(model.config, name) for name in sizes},
        )


class Unmasked(Run):
    """The same recipe without the mask, to see what the mask is for."""

    name = "unmasked"
    sources = ("nanogpt",)
    limit_s = 900
    budget_s = 25

    def train(self, log):
        from nanogpt import sort

        with without_fused_attention():
            model = sort.train(report=log, prepare=unmask)
        log.fact(accuracy=sort.accuracy(model), loss=model(*sort.all_examples())[1].item())
        return model.state_dict()

    def trace(self, weights, record):
        import torch

        from nanogpt import sort
        from nanogpt.model import GPT

        with without_fused_attention():
            model = GPT(sort.config()).eval()
        model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        with torch.no_grad(), record("forward", model):
            model(*sort.example(sort.WORD))


def unmask(model):
    """Let every token see every token: fill the mask with ones."""
    for block in model.transformer.h:
        block.attn.bias.fill_(1)
