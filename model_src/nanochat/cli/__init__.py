"""The commands: ``nanochat base_train`` is ``cli/base_train.py``. What they do lies in the other folders."""
