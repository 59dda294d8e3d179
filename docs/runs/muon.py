"""What Muon does with real gradients."""

from cutaway import Run
from runs.handbook import whole_text
from runs.models import round_to_half


class Muon(Run):
    """A small CLASSIC model that reads bytes, and what its optimizer does with the gradients of one step."""

    name = "muon"
    sources = ("nanochat",)
    limit_s = 120
    budget_s = 15
    STEPS = 100
    WATCHED = "transformer.h.0.mlp.c_fc.weight"
    ROUNDS = (5, 0, 1, 2, 3, 4)  # the usual number first: it is what listings show

    def train(self, log):
        """Weights and Muon's memories after some steps; the memories lie at the first matrix of each shape."""
        import torch

        from nanochat.training.schedule import Schedule

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1337)
            model = self.model()
            optimizer, schedule = model.setup_optimizer(), Schedule(10 * self.STEPS)
            for step in range(self.STEPS):
                schedule.apply(optimizer, step)
                optimizer.zero_grad(set_to_none=True)
                loss = model(*self.batch(step))
                loss.backward()
                optimizer.step()
                log(step, loss=loss.item())
        round_to_half(model)
        kept = {name: optimizer.state[p].get("momentum_buffer") for name, p in model.named_parameters()}
        memories = {f"momentum/{name}": memory.half().float() for name, memory in kept.items() if memory is not None}
        return {**model.state_dict(), **memories}

    def trace(self, weights, record):
        import torch

        from nanochat.training.muon import newton_schulz, polar_express

        model = self.build(weights)
        parameters = dict(model.named_parameters())
        model(*self.batch(self.STEPS)).backward()
        with record("groups"):
            optimizer = model.setup_optimizer()
        for name, p in parameters.items():
            if f"momentum/{name}" in weights:
                optimizer.state[p]["momentum_buffer"] = torch.from_numpy(weights[f"momentum/{name}"].copy())
        gradient = parameters[self.WATCHED].grad
        with record("orthogonalise"):
            for steps in self.ROUNDS:
                newton_schulz(gradient, steps)
        with record("polar"):
            for steps in self.ROUNDS:
                polar_express(gradient, steps)
        with record("step"):
            optimizer.step()
        record.fact(n_params=sum(p.numel() for p in parameters.values()), steps=self.STEPS, watched=self.WATCHED)
        record.fact(n_layer=model.config.n_layer, n_embd=model.config.n_embd)

    def build(self, weights):
        import torch

        model = self.model()
        own = {name: torch.from_numpy(array) for name, array in weights.items() if not name.startswith("momentum/")}
        model.load_state_dict(own)
        return model

    def model(self):
        from nanochat.gpt import GPT, GPTConfig

        return GPT(GPTConfig(sequence_len=64, vocab_size=256, n_layer=2, n_head=2, n_kv_head=2, n_embd=48))

    def batch(self, step):
        """16 rows of 64 bytes and the bytes after them, another batch for every step."""
        import torch

        data = torch.frombuffer(bytearray(whole_text().encode()), dtype=torch.uint8).long()
        chance = torch.Generator().manual_seed(step)
        starts = torch.randint(len(data) - 64, (16, 1), generator=chance)
        rows = data[starts + torch.arange(65)]
        return rows[:, :-1], rows[:, 1:]
