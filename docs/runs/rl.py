"""Reinforcement learning: the model's own answers, scored; and a score that can be had without being right."""

from cutaway import Run
from runs.assistant import FIRST_LETTERS, base_settings, fresh_model, kept_as, model_of, tokenizer_of
from runs.models import round_to_half, without_fused_attention


class Rl(Run):
    """The model of the run `mid` learns to sort three letters from rewards alone: three seeds; then a poor reward."""

    name = "rl"
    sources = ("nanochat",)
    after = ("mid",)
    limit_s = 3600
    budget_s = 130
    SEEDS = (1, 2, 3)
    STEPS = 24
    QUESTIONS = 16   # of a step
    SAMPLES = 16     # answers to each
    FRAC = 0.3       # of the learning rates of base training
    MAX_TOKENS = 16
    ASKED = 100      # test questions, answered with the likeliest tokens
    DRAWN = 48       # test questions, answered several times
    TIMES = 8

    def train(self, log, mid):
        kept, tokenizer = {"tokenizer": mid["tokenizer"]}, tokenizer_of(mid)
        self.measure(log, "before", fresh_model(mid), tokenizer)
        for seed in self.SEEDS:
            model = fresh_model(mid)
            self.reinforce(log, str(seed), model, tokenizer, self.task("train", seed), seed)
            self.measure(log, f"after_{seed}", model, tokenizer)
            if seed == self.SEEDS[0]:
                kept |= model.state_dict()
        model, seed = fresh_model(mid), self.SEEDS[0]
        self.reinforce(log, "hacked", model, tokenizer, order_alone(self.task("train", seed)), seed)
        self.measure(log, "hacked", model, tokenizer)
        log.fact(steps=self.STEPS, questions=self.QUESTIONS, num_samples=self.SAMPLES, frac=self.FRAC)
        log.fact(asked=self.ASKED, drawn=self.DRAWN, times=self.TIMES, seeds=len(self.SEEDS))
        return {**kept, **kept_as("hacked", model)}

    def task(self, split, seed, size=100_000):
        from nanochat.tasks.sorting import Sorting

        return Sorting(split, size, seed, **FIRST_LETTERS)

    def settings(self, seed):
        from nanochat.cli.chat_rl import RLSettings

        return RLSettings(
            num_steps=self.STEPS, questions=self.QUESTIONS, num_samples=self.SAMPLES, device_batch_size=self.SAMPLES,
            max_tokens=self.MAX_TOKENS, init_lr_frac=self.FRAC, seed=1000 * seed,
        )  # fmt: skip

    def reinforce(self, log, name, model, tokenizer, task, seed):
        """The training by rewards; what it says of each step goes into the log under the name."""
        from nanochat.cli.chat_rl import begin_rl, run_rl

        rl = begin_rl(self.settings(seed), base_settings(), model, tokenizer, task)
        said = ("reward", "alike", "tokens")
        run_rl(rl, lambda step, **values: log(step, **{f"{key}_{name}": values[key] for key in said}))
        round_to_half(model)

    def measure(self, log, name, model, tokenizer):
        """How often the likeliest answer is right, and one of so many drawn ones; what it says, and its order."""
        from nanochat.cli.chat_rl import evaluate_passes
        from nanochat.cli.eval import answer
        from nanochat.engine import Engine

        model.eval()
        engine, task = Engine(model, tokenizer), self.task("test", 9, self.ASKED)
        questions = [task[number] for number in range(self.ASKED)]
        answers = answer(engine, tokenizer, questions, self.MAX_TOKENS, 32)
        right = [task.evaluate(*pair) for pair in zip(questions, answers, strict=True)]
        ordered = [order_alone(task).evaluate(*pair) for pair in zip(questions, answers, strict=True)]
        log.fact(**{f"right_{name}": sum(right) / self.ASKED, f"ordered_{name}": sum(ordered) / self.ASKED})
        drawn = evaluate_passes(engine, tokenizer, self.task("test", 7, self.DRAWN), self.TIMES, self.MAX_TOKENS)
        for key, value in drawn.items():
            log(int(key.removeprefix("pass@")), **{f"pass_{name}": value})

    def build(self, weights):
        """What the first seed made."""
        return model_of(weights)

    def trace(self, weights, record):
        import torch

        from nanochat.chat.reinforcement import pass_at_k, policy_loss, sample_group
        from nanochat.cli.chat_rl import begin_rl, learn, sample_step
        from nanochat.engine import Engine
        from nanochat.gpt import GPT, GPTConfig

        tokenizer, model = tokenizer_of(weights), self.build(weights)
        engine, task = Engine(model, tokenizer), self.task("test", 7, self.DRAWN)
        tried = (sample_group(engine, tokenizer, task, task[n], 4, self.MAX_TOKENS).rewards for n in range(len(task)))
        mixed = next(n for n, rewards in enumerate(tried) if 0 < rewards.mean() < 1)
        with record("group", model):
            group = sample_group(engine, tokenizer, task, task[mixed], 4, self.MAX_TOKENS)
        with record("loss", model):
            policy_loss(model, group.ids, group.mask, group.advantages)
        with without_fused_attention():
            other = GPT(GPTConfig(7, 17, model.config.n_layer, n_head=11, n_kv_head=11, n_embd=286)).eval()
        with record.sizes("loss", other, N=5, T=7, C=286, H=11, D=26, V=17):
            policy_loss(other, torch.arange(40).view(5, 8) % 17, torch.ones(5, 8), torch.arange(5.0))
        with record("passes"):
            pass_at_k(group.rewards.tolist(), 2)
        few = self.settings(1)
        few = type(few)(
            num_steps=mixed + 1, questions=1, num_samples=4, device_batch_size=4, max_tokens=self.MAX_TOKENS,
            init_lr_frac=self.FRAC, seed=42 - mixed,
        )  # fmt: skip
        rl = begin_rl(few, base_settings(), self.build(weights), tokenizer, task)
        rl.step = mixed  # its question, and with this seed the same answers
        with record("step", rl.model):
            learn(rl, sample_step(rl))
        record.fact(question=task[mixed]["messages"][0]["content"], N=4)
        record.fact(**{f"answer_{i}": text for i, text in enumerate(group.texts)})


def order_alone(task):
    """The same questions, with a reward that looks whether the answer is in order, and at nothing else."""
    from nanochat.tasks.sorting import Sorting

    class OrderAlone(Sorting):
        def evaluate(self, conversation, completion):
            items = completion.split()
            return bool(items) and items == sorted(items)

    return OrderAlone(task.split, task.size, task.seed, **FIRST_LETTERS)
