"""Midtraining: a base model reads conversations as it read text, and learns their form.

    python -m nanochat mid_train base_checkpoints/d4 --out mid_checkpoints

Every token teaches, the user's too. nanochat had this stage from October 2025 to January 2026; since then its
conversations are part of fine-tuning.
"""

import sys

from nanochat.chat import tuning
from nanochat.chat.finetune import MIDTRAINING


def main(argv: list[str]) -> None:
    tuning.main(MIDTRAINING, __doc__, argv)


if __name__ == "__main__":
    main(sys.argv[1:])
