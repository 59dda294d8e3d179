"""Trained models, ready to be looked into."""

import contextlib
import io


def load_nanochat(config, weights):
    """A trained nanochat model, in eval mode, with the attention that can be looked into."""
    import torch

    from nanochat.gpt import GPT

    with without_fused_attention():
        model = GPT(config)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model.eval()


def load_weights(config, weights):
    """A trained nanoGPT, in eval mode, with the attention that can be looked into."""
    import torch

    from nanogpt.model import GPT

    with without_fused_attention(), quiet():
        model = GPT(config)
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    wrong = [*unexpected, *(name for name in missing if not name.endswith(".attn.bias"))]
    if wrong:
        raise ValueError(f"the weights don't fit the model: {', '.join(wrong)}")
    return model.eval()


def typed_text(tokenizer, longest):
    """How a page makes tokens of what one types: nanochat's byte pairs, BOS first, ``longest`` tokens at most."""
    special = sorted(tokenizer.get_special_tokens(), key=tokenizer.encode_special)
    tokens = [token.decode("latin-1") for token in tokenizer.tokens()]
    pattern, bos = tokenizer.enc._pat_str, tokenizer.get_bos_token_id()
    return {"bpe": {"pattern": pattern, "tokens": tokens, "special": special, "bos": bos}, "longest": longest}


def round_to_half(model):
    """Round a trained model's weights to what half precision holds, before anything is measured.

    Committed with the book they take half the bytes, and every number of the book is of exactly these weights.
    """
    import torch

    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.half())


@contextlib.contextmanager
def without_fused_attention():
    """Hide PyTorch's fused attention from a model that is being built."""
    import torch.nn.functional as functional

    fused = functional.scaled_dot_product_attention
    del functional.scaled_dot_product_attention
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = fused


def quiet():
    """A model announces its size when it is built; in a cell that would be noise."""
    return contextlib.redirect_stdout(io.StringIO())
