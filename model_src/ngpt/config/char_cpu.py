"""A small text, character by character, on a CPU: the sizes of nanoGPT's preset for Shakespeare."""

out_dir = "out-ngpt-char"
dataset = "shakespeare_char"
device = "cpu"
compile = False
eval_interval = 250
eval_iters = 20
always_save_checkpoint = False

gradient_accumulation_steps = 1
batch_size = 12
block_size = 64

n_layer = 4
n_head = 4
n_embd = 128

learning_rate = 3e-3
max_iters = 2000
lr_decay_iters = max_iters
beta2 = 0.95
