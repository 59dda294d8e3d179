"""Inference: the fine-tuned model answers, token by token."""

from cutaway import Run
from runs.assistant import first_right, first_unsure, model_of, parameters_of, questions, tokenizer_of


class Talk(Run):
    """The model of the run `sft` answers a question with the calculator's help. Nothing is trained."""

    name = "talk"
    sources = ("nanochat",)
    after = ("sft",)
    limit_s = 120
    budget_s = 15
    pinned = False  # the weights are those of `sft`
    EXPRESSIONS = ("2*(3+4)", "'banana'.count('a')", "2**3")

    def train(self, log, sft):
        return {**parameters_of(sft), "tokenizer": sft["tokenizer"]}

    def build(self, weights):
        return model_of(weights)

    def trace(self, weights, record):
        import torch

        from nanochat.chat.calculator import use_calculator
        from nanochat.chat.sampling import sample_next_token
        from nanochat.cli.eval import Score, choose
        from nanochat.engine import Engine

        tokenizer, model = tokenizer_of(weights), self.build(weights)
        engine, tasks = Engine(model, tokenizer), questions(40)
        question = first_right(model, tokenizer, tasks["arithmetic"])
        prompt = tokenizer.render_for_completion(question)
        with record("answer", model):
            (sequence,), (mask,) = engine.generate_batch(prompt, temperature=0, max_tokens=48)
        unsure = first_unsure(model, tokenizer, tasks["sorting"])
        with torch.inference_mode():
            logits = model(torch.tensor([tokenizer.render_for_completion(unsure)]))[:, -1]
        with record("draw"):
            sample_next_token(logits, torch.Generator().manual_seed(42), 0.8, 8, 0.9)
        with record.sizes("draw", B=3, V=17):
            sample_next_token(torch.randn(3, 17), torch.Generator(), 0.8, 8, 0.9)
        for number, expression in enumerate(self.EXPRESSIONS):
            with record(f"calculate_{number}"):
                use_calculator(expression)
        with record("choose", model):
            choose(model, tokenizer, [tasks["choice"][0]], 1)
        with record("score"):
            score = Score(62, 100, 0.25)
            score.interval, score.centred  # noqa: B018 - the trace is what they are asked for
        record.fact(question=question["messages"][0]["content"], prompt_tokens=len(prompt))
        record.fact(unsure=unsure["messages"][0]["content"])
        record.fact(answer=tokenizer.decode(sequence[len(prompt):]), answer_tokens=len(sequence) - len(prompt))
        record.fact(chosen=sum(mask), forced=len(sequence) - len(prompt) - sum(mask))
