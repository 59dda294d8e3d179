"""What runs depends on the numbers, so that torch can't export it."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.small, self.large, self.last = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x):
        h = self.large(x) if x.sum() > 0 else self.small(x)
        h = torch.relu(h)
        return self.last(h)
