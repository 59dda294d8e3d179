"""Shakespeare, character by character: 3 minutes on an A100, to a validation loss of 1.47."""

out_dir = "out-shakespeare-char"
dataset = "shakespeare_char"
eval_interval = 250
eval_iters = 200
log_interval = 10
always_save_checkpoint = False  # it overfits: keep the best

gradient_accumulation_steps = 1
batch_size = 64
block_size = 256

n_layer = 6
n_head = 6
n_embd = 384
dropout = 0.2

learning_rate = 1e-3
max_iters = 5000
lr_decay_iters = max_iters
min_lr = 1e-4
beta2 = 0.99  # each iteration sees few tokens
warmup_iters = 100
