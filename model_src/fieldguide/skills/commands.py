"""What a shell command does that the hooks care for: does it train, with which settings; does it destroy something."""

import re
import shlex
from pathlib import PurePath

OURS = re.compile(r"(^|[./])(base_train|mid_train|chat_sft|chat_rl)(\.py)?$")  # nanochat's stages
NANOGPT = re.compile(r"(^|/)(nanogpt|ngpt)[./]train(\.py)?$|^train\.py$")
DELETING = {"rm", "shred", "unlink", "truncate", "rmdir", "trash"}
KEPT = re.compile(  # files by their ends, folders by their names
    r"\.(pt|pth|safetensors|bin|parquet|npz|ckpt)$|(^|[/_-])(ckpt|checkpoints?|shards)\b|(^|/)(runs|data|out([-_]\w+)?)(/|$)"
)
TO_CHECK = {  # an option of a training, and of `fieldguide check`
    "data": "--data", "tokenizer": "--tokenizer", "out": "--out", "out-dir": "--out", "dataset": "--data",
    "depth": "--n-layer", "n-layer": "--n-layer", "n-head": "--n-head", "n-embd": "--n-embd",
    "block-size": "--block", "max-seq-len": "--block", "batch-size": "--batch", "device-batch-size": "--batch",
    "total-batch-size": "--total-batch-size", "nproc-per-node": "--processes",
}  # fmt: skip
AROUND = {"sudo", "env", "time", "nohup", "exec", "command"}


def simple(command: str) -> list[list[str]]:
    """The commands of a line, each as words; none where the quotes don't close."""
    lexer = shlex.shlex(command.replace("\\\n", " ").replace("\n", ";"), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word and set(word) <= set(";&|()"):
                found.append([])
            else:
                found[-1].append(word)
    except ValueError:
        return []
    return [bare(words) for words in found if bare(words)]


def bare(words: list[str]) -> list[str]:
    """The words without variables and wrappers in front."""
    while words and (words[0] in AROUND or re.match(r"\w+=", words[0])):
        words = words[1:]
    return words


def training(command: str) -> list[str] | None:
    """The words of the first command that trains; None where none does. One that asks for help does not."""
    for words in simple(command):
        if words[0].startswith(("python", "torchrun", "uv", "nanogpt", "nanochat", "accelerate")) or "/" in words[0]:
            trains = any(OURS.search(w) or NANOGPT.search(w) for w in words) or words[:2] == ["nanogpt", "train"]
            if trains and not {"-h", "--help"} & set(words):
                return words
    return None


def options_of(words: list[str]) -> dict[str, str]:
    """Options by name, with hyphens: from ``--name=value`` and ``--name value``."""
    found = {}
    for word, after in zip(words, [*words[1:], "--"], strict=True):
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            value = value if equals else "" if after.startswith("--") else after
            found[name.replace("_", "-")] = value
    return found


def check_options(command: str) -> list[str] | None:
    """What ``fieldguide check`` is to be asked; None where the command does not train."""
    words = training(command)
    if words is None:
        return None
    given = options_of(words)
    staged = any(re.search(r"mid_train|chat_sft|chat_rl", word) for word in words)
    asked = ["--without-memory"] if staged else ["--model", model_of(words, given)]
    config = next((word for word in words if word.endswith(".py") and not NANOGPT.search(word)
                   and not OURS.search(word) and not word.startswith("-")), "")  # fmt: skip
    asked += ["--config", config] if config and not staged else []
    known = {option: value for name, value in given.items() if value and (option := TO_CHECK.get(name))}
    if given.get("dataset"):
        known["--data"] = str(PurePath("data", given["dataset"]))
    if given.get("device", "").split(":")[0] in ("cpu", "cuda"):
        known["--device"] = given["device"].split(":")[0]
    return asked + [f"{option}={value}" for option, value in known.items()]


def model_of(words: list[str], given: dict[str, str]) -> str:
    """Whose model is trained, in the names of ``--model``."""
    text = " ".join(words)
    if "base_train" in text:
        return "nanochat-newest" if "scripts" in text else "nanochat"
    return "ngpt" if "ngpt.train" in text and "nanogpt" not in text and given.get("model") != "gpt" else "nanogpt"


def log_of(command: str) -> str:
    """The folder that a training writes to, where it is named."""
    given = options_of(training(command) or [])
    return given.get("out") or given.get("out-dir") or ""


def destroys(command: str) -> str:
    """Why one should ask before this command; empty where there is no reason. A reminder, not a sandbox."""
    for words in simple(command):
        program = PurePath(words[0]).name
        files = [word for word in words[1:] if KEPT.search(word)]
        if program in DELETING and files:
            return f"{program} would delete {files[0]}: checkpoints, data and records can't be brought back."
        if program == "git" and words[1:2] == ["clean"]:
            return "git clean deletes what is not committed: checkpoints, data and records mostly are not."
        if program == "find" and "-delete" in words and files:
            return f"find -delete would delete what it finds in {files[0]}."
        if "thin" in words and "--delete" in words:
            return "--delete deletes checkpoints for good: show first what the command prints without it."
        if "fieldguide" in words and "skills" in words and "--force" in words:
            return "--force replaces files that others have written or changed."
    return ""
