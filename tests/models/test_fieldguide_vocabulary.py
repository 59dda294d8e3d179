"""`fieldguide checkpoint verify --data`: a checkpoint's rows against the vocabulary and the ids of its data."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldguide.__main__ import main
from nanogpt.model import GPT, GPTConfig

SIZES = {"n_layer": 1, "n_head": 1, "n_embd": 8, "block_size": 8, "bias": False, "vocab_size": 40, "dropout": 0.0}


@pytest.mark.parametrize(
    ("vocabulary", "largest", "told"),
    [(40, 39, ""), (65, 39, "meta.pkl 65 tokens"), (40, 50, "ids that the checkpoint's 40 rows"), (None, 39, "")],
)
def test_another_tokenizers_data_do_not_fit(
    vocabulary: int | None, largest: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = {"model": GPT(GPTConfig(**SIZES)).state_dict(), "model_args": SIZES, "iter_num": 1, "config": {}}
    torch.save(whole, tmp_path / "ckpt.pt")
    (np.arange(2000) % (largest + 1)).astype(np.uint16).tofile(tmp_path / "train.bin")
    if vocabulary is not None:
        letters = {i: chr(200 + i) for i in range(vocabulary)}
        meta = {"vocab_size": vocabulary, "itos": letters, "stoi": {c: i for i, c in letters.items()}}
        (tmp_path / "meta.pkl").write_bytes(pickle.dumps(meta))
    capsys.readouterr()  # the model has told its size
    main(["checkpoint", "verify", str(tmp_path / "ckpt.pt"), "--data", str(tmp_path), "--json"])
    said = capsys.readouterr()
    assert said.out, said.err
    errors = [each["what"] for each in json.loads(said.out)["findings"] if each["level"] == "error"]
    assert any(told in error for error in errors) if told else not errors
