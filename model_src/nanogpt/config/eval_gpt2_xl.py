"""The loss of GPT-2's published weights, in the folder gpt2-xl, on OpenWebText: about 2.54."""

init_from = "gpt2-xl"
batch_size = 8
eval_iters = 500
eval_only = True
wandb_log = False
