"""From a base model to an assistant: conversations as tokens, fine-tuning, rewards, and a server for the browser."""
