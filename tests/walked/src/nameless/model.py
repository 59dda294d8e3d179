"""Two ways that meet, no stream and no letters."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other, self.last = nn.Linear(7, 5), nn.Linear(7, 5), nn.Linear(5, 3)

    def forward(self, x):
        gate = torch.sigmoid(self.other(x))
        return self.last(self.one(x) * gate)
