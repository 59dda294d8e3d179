"""Shakespeare's characters in a model of the 3D walkthrough's sizes (which sorts letters: see sort.py)."""

out_dir = "out-shakespeare-char-bbycroft"
dataset = "shakespeare_char"
device = "cpu"
compile = False
eval_interval = 250
eval_iters = 200
log_interval = 10
always_save_checkpoint = False

gradient_accumulation_steps = 1
batch_size = 64
block_size = 11

n_layer = 3
n_head = 3
n_embd = 48
dropout = 0.2

learning_rate = 1e-3
max_iters = 5000
lr_decay_iters = max_iters
min_lr = 1e-4
beta2 = 0.99
warmup_iters = 100
