"""GPT-2 XL learns to write like Shakespeare, in 20 iterations; its weights are in the folder gpt2-xl."""

init_from = "gpt2-xl"
out_dir = "out-shakespeare"
dataset = "shakespeare"
eval_interval = 5
eval_iters = 40
always_save_checkpoint = False

batch_size = 1
gradient_accumulation_steps = 32
max_iters = 20

learning_rate = 3e-5
decay_lr = False
