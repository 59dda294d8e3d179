"""Which recorded pass a walk through somebody's model is: the class that an author names, and the run that made it."""

from __future__ import annotations

from sphinx.environment import BuildEnvironment

from ..build import build_of, trace_of
from ..trace.names import UnknownName, Wanted
from ..trace.reading import Call, Trace


def walked_pass(env: BuildEnvironment, dotted: str, of: str) -> tuple[str, str]:
    """The run and the pass in which a class, or a function, ran as a whole; one that pages can compute comes first.

    ``of``: RUN, RUN.PASS or "", what ``:run:`` says. SourceError, UnknownName and TraceError say why there is none.
    """
    found = build_of(env).book.source.find(dotted)
    wanted = Wanted.read(of)
    trace = trace_of(env, wanted.run)
    if wanted.pass_ is not None and wanted.pass_ not in trace.passes:
        there = ", ".join(trace.passes) or "none"
        raise UnknownName(f"the run '{trace.run}' has no pass '{wanted.pass_}'; there is {there}")
    passes = [wanted.pass_] if wanted.pass_ else sorted(trace.passes, key=lambda one: one not in trace.live)
    name = found.dotted
    for pass_ in passes:
        if any(name in (call.function, call.function.rpartition(".")[0]) for call in _whole(trace, pass_)):
            return trace.run, pass_
    raise UnknownName(_nothing(trace, passes, name))


def _whole(trace: Trace, pass_: str) -> list[Call]:
    """The calls that a pass began with."""
    return [call for call in trace.calls(pass_=pass_) if call.caller is None]


def _nothing(trace: Trace, passes: list[str], name: str) -> str:
    where = f"the run '{trace.run}'" if len(passes) != 1 else f"the pass '{passes[0]}' of the run '{trace.run}'"
    all = [call for one in passes for call in trace.calls(pass_=one)]
    begun = dict.fromkeys(call.function.removesuffix(".forward") for one in passes for call in _whole(trace, one))
    others = ", ".join([*begun][:5]) or "nothing"
    if any(name in (call.function, call.function.rpartition(".")[0]) for call in all):
        whole = f"a walk goes through a whole pass: name what began it, {others}"
        return f"{name} ran inside of another in {where}; {whole}"
    return f"{where} did not run {name}; it ran {others}. Name one of these, or another :run:"
