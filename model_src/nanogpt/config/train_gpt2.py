"""GPT-2 small on OpenWebText: 300 billion tokens, 4 to 5 days on eight A100, to a loss of 2.85.

torchrun --standalone --nproc_per_node=8 -m nanogpt.train config/train_gpt2.py
"""

wandb_log = True
wandb_project = "owt"
wandb_run_name = "gpt2-124M"

batch_size = 12
block_size = 1024
gradient_accumulation_steps = 5 * 8

max_iters = 600000
lr_decay_iters = max_iters
weight_decay = 1e-1

eval_interval = 1000
eval_iters = 200
log_interval = 10
