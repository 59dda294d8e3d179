"""The paper's smaller model with 1,024 tokens of context (Tables 2 and 3): 512 sequences a step, on GPUs."""

out_dir = "out-ngpt"
dataset = "openwebtext"

batch_size = 8
gradient_accumulation_steps = 64
block_size = 1024

n_layer = 24
n_head = 16
n_embd = 1024

learning_rate = 15e-4
max_iters = 100000
lr_decay_iters = max_iters
