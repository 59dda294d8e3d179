"""Supervised fine-tuning: whole conversations, of which the assistant's words alone teach.

    python -m nanochat chat_sft mid_checkpoints --out sft_checkpoints
"""

import sys

from nanochat.chat import tuning
from nanochat.chat.finetune import FINE_TUNING


def main(argv: list[str]) -> None:
    tuning.main(FINE_TUNING, __doc__, argv)


if __name__ == "__main__":
    main(sys.argv[1:])
