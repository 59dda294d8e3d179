"""The optimizer: Muon for matrices, AdamW for everything else, on one process or shared out among several."""

import torch
import torch.distributed as dist

from nanochat.training.muon import muon_step, variance_shape

SMALL = 1024  # numbers of a tensor that is not worth being shared out


def adamw_step(p, g, exp_avg, exp_avg_sq, step, group):
    """One step of a tensor of any shape and of its two memories, in place (Loshchilov & Hutter, 2019).

    ``step`` counts from 1. Computed in float32, whatever the tensors are stored in.
    """
    lr = group["lr"]
    beta1, beta2 = group["betas"]
    g = g.float()
    m = torch.lerp(exp_avg.float(), g, 1 - beta1)
    v = torch.lerp(exp_avg_sq.float(), g.square(), 1 - beta2)
    m_hat = m / (1 - beta1**step)     # both memories began at zero: early means are too small
    v_hat = v / (1 - beta2**step)
    W = p.float() * (1 - lr * group["weight_decay"])
    W = W - lr * m_hat / (v_hat.sqrt() + group["eps"])
    p.copy_(W)
    exp_avg.copy_(m)
    exp_avg_sq.copy_(v)


class MuonAdamW(torch.optim.Optimizer):
    """Both rules in one optimizer: ``kind`` of a group says which, ``'muon'`` or ``'adamw'``.

    A Muon group holds matrices of one shape, which are stacked and stepped as one; their memories are kept at the
    first of them. Groups come from ``groups.adamw_group`` and ``groups.muon_group``.
    """

    def __init__(self, groups):
        for group in groups:
            shapes = {tuple(p.shape) for p in group["params"]}
            if group["kind"] == "muon" and (len(shapes) > 1 or any(len(shape) != 2 for shape in shapes)):
                raise ValueError(f"a Muon group holds matrices of one shape, not {sorted(shapes)}")
        super().__init__(groups, defaults={})

    @torch.no_grad()
    def step(self, closure=None):
        """Change every parameter that has a gradient; a ``closure`` is called first, and its loss returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["kind"] == "muon":
                self.step_muon(group)
            else:
                self.step_adamw(group)
        return loss

    def step_adamw(self, group):
        """Each tensor by itself."""
        for p in group["params"]:
            if p.grad is not None:
                self.update_adamw(p, p, p.grad, group)

    def update_adamw(self, p, part, g, group):
        """Step ``part`` (all of parameter ``p``, or this process's rows) and the memories kept at ``p``."""
        state = self.state[p]
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(part)
            state["exp_avg_sq"] = torch.zeros_like(part)
        state["step"] += 1
        adamw_step(part, g, state["exp_avg"], state["exp_avg_sq"], state["step"], group)

    def step_muon(self, group):
        """All matrices of the group at once."""
        params = with_gradients(group)
        if params:
            G = torch.stack([p.grad for p in params])
            W = torch.stack(params)
            W = self.update_muon(params[0], W, G, group)
            for p, new in zip(params, W, strict=True):
                p.copy_(new)

    def update_muon(self, first, W, G, group):
        """Matrices (K, m, n) one step on, with the memories kept at the parameter ``first``."""
        state = self.state[first]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(G)
            if group["beta2"] is not None:
                state["variance"] = G.new_zeros(variance_shape(G.shape))
        return muon_step(W, G, state["momentum_buffer"], state.get("variance"), group)


def with_gradients(group):
    """A Muon group's matrices: all have a gradient, or none has and nothing is to be done."""
    params = [p for p in group["params"] if p.grad is not None]
    if params and len(params) < len(group["params"]):
        raise ValueError(
            f"{len(params)} of {len(group['params'])} matrices of shape {tuple(params[0].shape)} have a gradient: "
            "Muon steps all of a shape or none"
        )
    return params


class DistMuonAdamW(MuonAdamW):
    """The same steps by several processes, each with gradients of its own batch: their mean is taken here.

    So a model needs no DistributedDataParallel. Each process steps its share and keeps the memories of that share
    alone (ZeRO, Rajbhandari et al., 2020), then all shares are gathered. Every process must have gradients for
    the same parameters.
    """

    def step_adamw(self, group):
        """Large tensors are shared out by rows, where these divide evenly; of small ones all do everything."""
        world, rank = dist.get_world_size(), dist.get_rank()
        for p in group["params"]:
            if p.grad is None:
                continue
            if p.numel() < SMALL or p.size(0) % world != 0:
                g = p.grad.clone()
                dist.all_reduce(g)
                self.update_adamw(p, p, g / world, group)
                continue
            rows = p.size(0) // world
            mine = p[rank * rows : (rank + 1) * rows].clone()
            self.update_adamw(p, mine, mean_share(p.grad), group)
            dist.all_gather_single(p, mine)

    def step_muon(self, group):
        """The stack of matrices is filled up with zeros, so that all processes have equally many."""
        params = with_gradients(group)
        if not params:
            return
        world, rank = dist.get_world_size(), dist.get_rank()
        share = -(-len(params) // world)  # rounded up
        G = mean_share(stack([p.grad for p in params], share * world))
        W = stack(params, share * world)
        mine = W[rank * share : (rank + 1) * share]
        mine = self.update_muon(params[0], mine, G, group)
        dist.all_gather_single(W, mine.contiguous())
        for p, new in zip(params, W[: len(params)], strict=True):
            p.copy_(new)


def mean_share(g):
    """This process's rows, first dimension over processes, of the mean of all processes' ``g``."""
    world = dist.get_world_size()
    mine = g.new_empty((g.size(0) // world, *g.shape[1:]))
    dist.reduce_scatter_single(mine, g.contiguous())
    return mine / world


def stack(tensors, count):
    """Tensors of one shape, one above the other, and zeros after them: (count, ...)."""
    whole = tensors[0].new_zeros((count, *tensors[0].shape))
    whole[: len(tensors)] = torch.stack(tensors)
    return whole
