"""Small functions in which names do not tell what flows into what, for drawings to be proven."""

IDIOMS = {
    "map": """
def f(x):
    q, k, v = map(split, (x, x + 1, x * 2))
    y = q @ k.T
    return y @ v
def split(x):
    return x * 3
""",
    "a dict": """
def f(x):
    d = {"a": x * 2, "b": x + 1}
    y = d["a"] @ d["b"].T
    return {"out": y}
""",
    "a dict of what is there": """
def f(x):
    d = {"a": x}
    return d["a"] * 2
""",
    "out=": """
def f(x):
    y = x.exp()
    o = torch.zeros(2, 4)
    torch.mul(x, y, out=o)
    return o
""",
    "a view is written": """
def f(x):
    x = x.clone()
    v = x[0]
    v.add_(1)
    return x * 2
""",
    "a star among targets": """
def f(x):
    scale = x.exp()
    shift = x.cos()
    h, *rest = (x, scale, shift)
    return h * 2
""",
    "a comprehension": """
def f(x):
    parts = [part * 2 for part in x.unbind(0)]
    return torch.stack(parts)
""",
    "a conditional expression": """
def f(x):
    y = x.exp() if x.sum() > 0 else x.cos()
    z = y * 2
    return z
""",
    "a dataclass": """
from dataclasses import dataclass
@dataclass
class Out:
    a: object
    b: object
def f(x):
    y = x.exp()
    o = Out(y, b=x.cos())
    return o
""",
    "a loop over two": """
def f(x):
    out = []
    for a, b in zip(x.unbind(0), (x * 2).unbind(0)):
        c = a * b
        out.append(c)
    return torch.stack(out)
""",
    "a generator and a lambda": """
def f(x):
    y = x.exp()
    z = sum(t.sum() for t in (y, x))
    w = (lambda a: a * 2)(z)
    return w
""",
    "an attribute of an object": """
class Box: pass
def f(x):
    b = Box()
    b.v = x.exp()
    c = b.v * 2
    return c
""",
    "a module behind a function": """
def f(x):
    apply = lambda layer, value: layer(value)
    y = apply(torch.relu, x - 0.5)
    z = torch.stack(list(map(torch.exp, (y, x))))
    return z.sum(0)
""",
    "starred": """
def f(x):
    first, *rest = x.exp(), x.cos(), x.sin()
    y = torch.cat(rest)
    return y, first
""",
    "nested containers": """
def f(x):
    held = {"pair": (x.exp(), [x.cos()])}
    y = held["pair"][1][0] * 2
    return y + held["pair"][0]
""",
    "a slice is written": """
def f(x):
    y = x * 2
    y[0] = x[1].exp()
    z = y.sum(0)
    return z
""",
    "a view of a view": """
def f(x):
    y = x * 2
    row = y.view(-1)[1:3]
    row.mul_(3)
    return y.sum()
""",
    "a branch": """
def f(x):
    y = x.exp()
    if y.sum() > 0:
        z = y * 2
    else:
        z = x.cos()
    return z
""",
    "early return": """
def f(x):
    y = x.exp()
    if x.shape[0] == 2:
        return y.sum(0)
    return y * 0
""",
    "loop carried": """
def f(x):
    h = x[0]
    for row in x:
        g = h * 2
        h = g + row
    return h
""",
    "loop carried, two": """
def f(x):
    h, c = x[0], x[1]
    for row in x:
        i = torch.sigmoid(h + row)
        c = c * i
        h = torch.tanh(c)
    return h, c
""",
    "loop gathers and carries": """
def f(x):
    h = x[0]
    outs = []
    for row in x:
        h = torch.tanh(h + row)
        y = h * 3
        outs.append(y)
    return torch.stack(outs), h
""",
    "carried by an attribute": """
class State: pass
def f(x):
    s = State()
    s.h = x[0]
    for row in x:
        a = s.h * row
        s.h = a + 1
    return s.h
""",
    "carried in a dict": """
def f(x):
    d = {"h": x[0]}
    for row in x:
        a = d["h"] * row
        d["h"] = a + 1
    return d["h"]
""",
    "while": """
def f(x):
    y = x * 1
    n = 0
    while n < 3:
        z = y * 2
        y = z + x
        n += 1
    return y
""",
    "while with a tensor test": """
def f(x):
    y = x * 1
    while y.sum() < 100:
        z = y * 2
        y = z + 1
    return y
""",
    "while True": """
def f(x):
    y = x * 1
    k = 0
    while True:
        y = y * 2
        z = y + x
        k += 1
        if k == 3:
            break
    return z
""",
    "nested loops": """
def f(x):
    h = x[0]
    for a in x:
        for b in x:
            g = h * b
            h = g + a
        h = h / 2
        w = h * 2
    return w
""",
    "enumerate": """
def f(x):
    acc = torch.zeros(4)
    for i, row in enumerate(x):
        t = row * (i + 1)
        acc = acc + t
    return acc
""",
    "item": """
def f(x):
    s = x.sum()
    n = s.item()
    y = x * n
    return y
""",
    "item in a sum": """
def f(x):
    s = x.exp()
    n = s.sum().item() * 2 + 1
    m = n / 3
    y = x + m
    return y
""",
    "float of": """
def f(x):
    s = x.sum()
    y = x.cos() * float(s)
    return y
""",
    "tolist": """
def f(x):
    s = x[0].exp()
    values = s.tolist()
    y = torch.tensor(values) * x[1]
    return y
""",
    "size is no flow": """
def f(x):
    w = x.exp()
    n = w.shape[0]
    m = w.size(1)
    y = x.view(n, m) * m
    z = w.sum()
    return y, z
""",
    "numpy inside": """
import numpy as np
def f(x):
    w = x.exp()
    a = w.numpy()
    b = np.sort(a)[:, ::-1]
    y = torch.from_numpy(b.copy()) * 2
    return y
""",
    "numpy in one line": """
import numpy as np
def f(x):
    w = x.exp()
    v = x.cos()
    y = torch.from_numpy(np.sqrt(w.numpy())) * 2
    return y, v
""",
    "two layers, one used": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
    def forward(self, x):
        d = {"a": self.a(x), "b": self.b(x)}
        y = self.c(d["a"])
        return y, d["b"]
def f(x):
    torch.manual_seed(0)
    return g(Model(), x)
def g(m, x):
    return m(x)
""",
    "chunk and write": """
def f(x):
    q, k = x.clone().chunk(2, -1)
    q.mul_(2)
    y = q + 1
    z = k + 1
    return y, z
""",
    "data": """
def f(x):
    w = x.clone()
    v = x.exp()
    w.data.add_(v)
    y = w * 2
    return y
""",
    "setitem with a mask": """
def f(x):
    y = x * 2
    m = x > 0.5
    y[m] = 0
    z = y.sum()
    return z
""",
    "walrus": """
def f(x):
    if (s := x.exp()).sum() > 0:
        y = s * 2
    return y
""",
    "closure": """
def f(x):
    w = x.exp()
    def inner(v):
        return v * w
    y = inner(x)
    return y
""",
    "partial": """
from functools import partial, reduce
def f(x):
    w = x.exp()
    g = partial(torch.mul, w)
    y = g(x)
    z = reduce(torch.add, [y, w, x])
    return z
""",
    "a generator function": """
def rows(x):
    for row in x:
        yield row * 2
def f(x):
    acc = x[0] * 0
    for row in rows(x):
        acc = acc + row
    return acc
""",
    "namedtuple": """
from collections import namedtuple
P = namedtuple("P", "a b")
def f(x):
    p = P(x.exp(), x.cos())
    y = p.a * 2
    z = p.b * 3
    return y, z
""",
    "try": """
def f(x):
    try:
        y = x.exp()
        z = y.view(77)
    except RuntimeError:
        z = y * 2
    return z
""",
    "pop and insert": """
def f(x):
    todo = [x.exp(), x.cos()]
    a = todo.pop()
    todo.insert(0, a * 2)
    b = todo[0] + todo[1]
    return b
""",
    "sorted": """
def f(x):
    rows = sorted(x.unbind(0), key=lambda r: -r.sum())
    y = torch.stack(rows)
    return y
""",
    "swap": """
def f(x):
    a, b = x[0] * 2, x[1] * 3
    a, b = b, a + b
    c = a * 2
    return b, c
""",
    "slots and property": """
class P:
    __slots__ = ("v",)
    def __init__(self, v):
        self.v = v
    @property
    def twice(self):
        return self.v * 2
def f(x):
    w = x.exp()
    p = P(w)
    y = p.twice + 1
    return y
""",
    "context": """
from contextlib import contextmanager
@contextmanager
def held(v):
    yield v * 2
def f(x):
    w = x.exp()
    with held(w) as h:
        y = h + 1
    return y
""",
    "match": """
def f(x):
    w = (x.exp(), x.cos())
    match w:
        case (a, b):
            y = a * b
    return y
""",
    "global cache": """
CACHE = {}
def f(x):
    w = x.exp()
    CACHE["w"] = w
    y = CACHE["w"] * 2
    return y
""",
    "index by tensor": """
def f(x):
    w = x.exp()
    i = w.argmax(-1)
    y = x[torch.arange(2), i]
    return y
""",
    "scatter": """
def f(x):
    i = torch.tensor([[0, 1, 0, 1]])
    base = torch.zeros(2, 4)
    w = x[:1].exp()
    base.scatter_(0, i, w)
    y = base * 2
    return y
""",
    "where chain": """
def f(x):
    y = x.exp().clamp(max=1.2).where(x > 0.3, x.cos()).sum(-1, keepdim=True)
    return x / y
""",
    "cumulative in place": """
def f(x):
    out = torch.zeros(3, 4)
    for i in range(2):
        out[i] = x[i] * 2
    y = out.sum(0)
    return y
""",
    "in place before": """
def f(x):
    out = torch.zeros(4)
    for row in x:
        t = row * 2
        out += t
    return out
""",
    "ternary in call": """
def f(x, scale=None):
    w = x.exp()
    y = torch.add(w, x if scale is None else scale)
    return y
""",
    "early loop return": """
def f(x):
    for row in x:
        y = row * 2
        if y.sum() > 1:
            return y
    return x
""",
    "lambda default": """
def f(x):
    w = x.exp()
    g = lambda v, w=w: v * w
    y = g(x)
    return y
""",
    "star args": """
def g(*args, **kw):
    return args[0] * kw["b"]
def f(x):
    args = (x.exp(), x.cos())
    kw = {"b": x.sin()}
    y = g(*args, **kw)
    return y
""",
    "moe": """
def f(x):
    gate = (x @ torch.arange(8.).view(4, 2)).softmax(-1)
    top, index = gate.topk(1, -1)
    out = torch.ones(3, 4)
    for e in range(2):
        rows = (index[:, 0] == e).nonzero()[:, 0]
        if len(rows) == 0:
            continue
        y = x[rows] * (e + 2)
        out[rows] = y * top[rows]
    return out
""",
    "lstm by hand": """
def f(x):
    h = torch.zeros(4); c = torch.zeros(4)
    outs = []
    for t in range(x.size(0)):
        gates = torch.cat([x[t] + h, x[t], x[t], h])
        i, g, o, r = gates.chunk(4)
        c = torch.sigmoid(r) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outs.append(h)
    return torch.stack(outs), (h, c)
""",
    "gradient": """
def f(x):
    w = torch.ones(4, requires_grad=True)
    y = (x * w).sum()
    g = torch.autograd.grad(y, w)[0]
    z = g * 2
    return z
""",
    "assert and del": """
def f(x):
    y = x.exp()
    assert y.shape == x.shape, "no"
    z = y * 2
    del y
    return z
""",
    "python numbers back": """
def f(x):
    total = 0.0
    for row in x:
        m = row.max().item()
        total += m
    y = x / total
    return y
""",
    "a sum of numbers": """
def f(x):
    total = 0.0
    for row in x:
        s = row.exp()
        total += s.sum().item()
    y = x / total
    return y
""",
    "tuples that grow": """
def f(x):
    states = ()
    for row in x:
        y = row.exp()
        states = states + (y,)
    kept = (x.cos(),)
    kept += states
    z = kept[1] * 2
    return states, z
""",
    "lists that are joined": """
def f(x):
    first, second = [x.exp()], [x.cos()]
    both = first + second * 2
    y = both[0] + 1
    z = both[2] + 1
    return y, z
""",
    "layers of two kinds": """
def f(x):
    for kind in "abab":
        inner = x
        if kind == "a":
            out = x.exp()
        else:
            out = x.cos()
        x = out + inner
    return x
""",
    "deep in a result": """
from dataclasses import dataclass
@dataclass
class Held:
    parts: list
def f(x):
    y, held = made(x)
    z = y * 2
    return z, held
def made(x):
    return x.exp(), Held([[[x.cos()]]])
""",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
def f(x):
    a = x.exp()
    b = x + 1
    with ThreadPoolExecutor(2) as pool:
        c, d = pool.map(half, (a, b))
    return c - d
def half(x):
    y = x.tanh()
    return y * 2
""",
    "two generators by turns": """
def f(x):
    a = x.exp()
    b = x + 1
    total = torch.zeros(4)
    for one, other in zip(rows(a), rows(b)):
        total = total + one @ other
    return total
def rows(x):
    for row in x:
        y = row * 2
        yield y
""",
    "a module in one branch of an expression": """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.share = nn.Linear(4, 4), nn.Linear(4, 4), False
    def forward(self, x):
        k = self.a(x)
        v = self.b(x) if not self.share else k
        y = v * k
        return y
""",
}
