"""The way back in small: a scalar that can differentiate, and the backward pass of a whole GPT in NumPy.

Read ``number.py``, then ``rules.py``, then ``gpt.py``. Nothing here needs PyTorch; the tests compare it with PyTorch's.
"""
