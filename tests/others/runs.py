"""Models that nobody here wrote, small and with random weights, each a pass of its own."""

from cutaway import Run

SIZES = {"vocab_size": 31, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 3}
PICTURE = {**SIZES, "image_size": 32, "patch_size": 8}
SPEECH = {f"{side}_{what}": n for side in ("encoder", "decoder")
          for what, n in (("layers", 1), ("attention_heads", 3), ("ffn_dim", 20))}  # fmt: skip
ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


class Transformers(Run):
    """Ten models of transformers."""

    sources = (
        "transformers.models.gpt2.*",
        "transformers.models.llama.*",
        "transformers.models.bert.*",
        "transformers.models.t5.*",
        "transformers.models.mixtral.*",
        "transformers.models.vit.*",
        "transformers.models.resnet.*",
        "transformers.models.convnext.*",
        "transformers.models.swin.*",
        "transformers.models.whisper.*",
    )
    limit_s = 900

    def trace(self, weights, record):
        import torch
        import transformers as t

        torch.manual_seed(0)
        words, picture = torch.arange(35).view(5, 7) % 31, torch.randn(1, 3, 32, 32)
        start = {"decoder_start_token_id": 1}
        models = {
            "gpt2": t.GPT2LMHeadModel(
                t.GPT2Config(vocab_size=31, n_positions=16, n_embd=12, n_layer=2, n_head=3, **ENDS)
            ),
            "llama": t.LlamaForCausalLM(t.LlamaConfig(**SIZES)),
            "bert": t.BertForMaskedLM(t.BertConfig(**SIZES, max_position_embeddings=16)),
            "t5": t.T5ForConditionalGeneration(
                t.T5Config(vocab_size=31, d_model=12, d_kv=4, d_ff=20, num_layers=2, num_heads=3, **start)
            ),
            "mixtral": t.MixtralForCausalLM(t.MixtralConfig(**SIZES, num_key_value_heads=3, num_local_experts=6)),
            "vit": t.ViTForImageClassification(t.ViTConfig(**PICTURE)),
            "resnet": t.ResNetForImageClassification(
                t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
            ),
            "convnext": t.ConvNextForImageClassification(
                t.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)
            ),
            "swin": t.SwinForImageClassification(
                t.SwinConfig(image_size=32, patch_size=4, embed_dim=12, depths=[1, 1], num_heads=[3, 3], window_size=4)
            ),
            "whisper": t.WhisperForConditionalGeneration(
                t.WhisperConfig(
                    vocab_size=31, d_model=12, num_mel_bins=8, max_source_positions=16, max_target_positions=16,
                    **SPEECH, **ENDS, **start,
                )
            ),
        }  # fmt: skip
        given = {key: {"pixel_values": picture} for key in ("vit", "resnet", "convnext", "swin")}
        given["t5"] = {"input_ids": words, "decoder_input_ids": words[:, :6]}
        given["whisper"] = {"input_features": torch.randn(5, 8, 32), "decoder_input_ids": words}
        for name, model in models.items():
            with torch.no_grad(), record(name, model.eval()):
                model(**given.get(name, {"input_ids": words}))


class XTransformers(Run):
    """A decoder with rotary positions."""

    name = "x_transformers"
    sources = ("x_transformers.x_transformers",)
    limit_s = 900

    def trace(self, weights, record):
        import torch
        from x_transformers import Decoder, TransformerWrapper

        torch.manual_seed(0)
        layers = Decoder(dim=12, depth=2, heads=3, attn_dim_head=64, rotary_pos_emb=True)
        model = TransformerWrapper(num_tokens=31, max_seq_len=16, attn_layers=layers).eval()
        with torch.no_grad(), record("decoder", model):
            model(torch.arange(7)[None])


class Diffusers(Run):
    """A U-Net that takes noise away."""

    sources = (
        "diffusers.models.resnet",
        "diffusers.models.unets.unet_2d",
        "diffusers.models.unets.unet_2d_blocks",
    )
    limit_s = 900

    def trace(self, weights, record):
        import torch
        from diffusers import UNet2DModel

        torch.manual_seed(0)
        model = UNet2DModel(
            sample_size=8,
            layers_per_block=1,
            block_out_channels=(8, 16),
            norm_num_groups=4,
            attention_head_dim=4,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        ).eval()
        with torch.no_grad(), record("unet", model):
            model(torch.randn(1, 3, 8, 8), torch.tensor([7]))


class LocalAttention(Run):
    """A decoder whose positions see those near them."""

    name = "local_attention"
    sources = ("local_attention.*",)

    def trace(self, weights, record):
        import torch
        from local_attention import LocalTransformer

        torch.manual_seed(0)
        model = LocalTransformer(
            num_tokens=31, dim=12, depth=1, max_seq_len=32, local_attn_window_size=8, heads=3, dim_head=4
        ).eval()  # fmt: skip
        with torch.no_grad(), record("local", model):
            model(torch.arange(16)[None])


class Linformer(Run):
    """Attention to a few mixtures of all positions."""

    sources = ("linformer.*",)

    def trace(self, weights, record):
        import torch
        from linformer import LinformerLM

        torch.manual_seed(0)
        model = LinformerLM(num_tokens=31, dim=12, seq_len=16, depth=1, heads=3, k=5).eval()
        with torch.no_grad(), record("linformer", model):
            model(torch.arange(16)[None])


class NystromAttention(Run):
    """Attention through landmarks, with an inverse that is found step by step."""

    name = "nystrom_attention"
    sources = ("nystrom_attention.*",)

    def trace(self, weights, record):
        import torch
        from nystrom_attention import NystromAttention

        torch.manual_seed(0)
        model = NystromAttention(dim=12, dim_head=4, heads=3, num_landmarks=4).eval()
        with torch.no_grad(), record("nystrom", model):
            model(torch.randn(1, 16, 12))


class Small(Run):
    """A tagger, a mixture of experts, attention in NumPy."""

    sources = ("small",)

    def trace(self, weights, record):
        import numpy as np
        import torch
        from small.models import Experts, Tagger, attention

        torch.manual_seed(0)
        tagger, experts, numbers = Tagger().eval(), Experts().eval(), np.random.default_rng(0)
        with torch.no_grad(), record("lstm", tagger):
            tagger(torch.arange(7)[None])
        with torch.no_grad(), record("experts", experts):
            experts(torch.randn(1, 7, 12))
        with record("numpy"):
            attention(numbers.normal(size=(7, 12)), 3, numbers.normal(size=(12, 36)), numbers.normal(size=(12, 12)))
