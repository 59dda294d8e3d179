"""The loss of GPT-2's published weights, in the folder gpt2, on OpenWebText: about 3.12."""

init_from = "gpt2"
batch_size = 8
eval_iters = 500
eval_only = True
wandb_log = False
