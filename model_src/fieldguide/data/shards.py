"""Files of documents: nanochat's parquet shards, JSON lines, text. Each yields its documents; damage is a finding."""

import codecs
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fieldguide.data.documents import Documents
from fieldguide.lines import Progress, raw_lines, stands_for
from fieldguide.report import Finding, UsageProblem

LONGEST = 1 << 25  # bytes of a line of JSON
MOST = 1 << 27  # bytes of a file of JSON lines or text that are read
PIECE = 1 << 20  # bytes of text that are read at once
PARAGRAPH = 1 << 16  # characters of a paragraph that are compared
TOLD_APART = 200  # characters of a paragraph that is not there twice by chance
MAGIC = b"PAR1"
FOLD = 2000  # times its size that a file may grow to when it is unpacked
BIG = 1 << 32  # bytes that it may grow to in any case
AGAIN = "delete the file and fetch or make it again"


def parquet_ends(path: Path) -> str:
    """What is wrong with a parquet file's ends, or nothing."""
    size = path.stat().st_size
    if size < 12:
        return f"it has {size} bytes, and no parquet file has fewer than 12"
    with path.open("rb") as file:
        beginning = file.read(64)
        first = beginning[:4]
        file.seek(-8, 2)
        length, last = int.from_bytes(file.read(4), "little"), file.read(4)
    if first != MAGIC and (instead := stands_for(beginning)):
        return f"it is no parquet file, {instead}"
    if first != MAGIC:
        return f"it begins with {first!r}, not with {MAGIC!r}: no parquet file"
    if last != MAGIC:
        return f"it has {size:,} bytes and does not end with {MAGIC!r}: it was cut short, the footer is missing"
    return f"its footer would have {length:,} bytes of {size:,}: damaged" if length > size - 12 else ""


def read_parquet(path: Path, into: Documents, told: Progress) -> list[Finding]:
    """Take the documents of a shard; what is wrong with it."""
    if problem := parquet_ends(path):
        return [Finding("error", f"{path.name} can't be read as parquet", problem, AGAIN)]
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageProblem(f"{path} is parquet, which needs the package pyarrow: pip install pyarrow") from error
    try:
        with pq.ParquetFile(path) as file:
            return read_groups(file, path, into, told)
    except Exception as error:  # whatever a damaged file makes pyarrow raise
        return [Finding("error", f"{path.name} is damaged after {into.count:,} documents", str(error)[:200], AGAIN)]


def read_groups(file: Any, path: Path, into: Documents, told: Progress) -> list[Finding]:
    """The row groups, one after the other."""
    size = path.stat().st_size
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if unpacked > max(FOLD * size, BIG):
        what = f"{path.name} would grow from {size:,} to {unpacked:,} bytes: it is not unpacked"
        return [Finding("error", what, f"more than {FOLD} times", "get the file from where it was made")]
    if "text" not in file.schema_arrow.names:
        there = ", ".join(file.schema_arrow.names[:8])
        return [Finding("error", f"{path.name} has no column text", f"its columns: {there}", "name the column text")]
    nulls = 0
    for i in range(len(groups)):
        for batch in file.iter_batches(batch_size=256, row_groups=[i], columns=["text"]):
            for text in batch.column(0).to_pylist():
                nulls += text is None
                into.add(text if isinstance(text, str) else "")
        told(size * (i + 1) // len(groups))
    if nulls:
        what = f"{path.name} has {nulls:,} rows without a text"
        return [Finding("warning", what, "null in the column text", "leave such rows out when the shard is written")]
    return []


def read_json_lines(path: Path, into: Documents, told: Progress) -> list[Finding]:
    """Take the conversations or documents of JSON lines; what is wrong with them, the first of each kind."""
    first: dict[str, int] = {}  # line of each kind of problem
    often: Counter[str] = Counter()
    with path.open("rb") as file:
        for number, raw in enumerate(raw_lines(file, LONGEST, told, MOST), 1):
            if raw is not None and not raw.strip():
                continue
            text, problem = (None, f"is longer than {LONGEST:,} bytes") if raw is None else conversation(raw)
            if text is not None:
                into.add(text)
            if problem:
                first.setdefault(problem, number)
                often[problem] += 1
    advice = "mend or leave out these lines: user and assistant take turns, and the assistant has the last word"
    return [
        Finding("error", f"{path.name}, line {number}: it {problem}", f"{often[problem]:,} lines are so", advice)
        for problem, number in first.items()
    ] + stopped(path)


def stopped(path: Path) -> list[Finding]:
    """That a file was not read through, if it was not."""
    if (size := path.stat().st_size) <= MOST:
        return []
    what = f"{path.name} was read up to byte {MOST:,} of {size:,}"
    return [Finding("note", what, "what follows is not judged", "split the file to have all of it read")]


def conversation(raw: bytes) -> tuple[str | None, str]:
    """The text of a line, and what is wrong with it."""
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None, "is no UTF-8"
    except (ValueError, RecursionError):
        return None, "is no JSON (cut short?)"
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return value["text"], ""
    messages = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return None, "has neither messages nor a text"
    if not messages:
        return "", "has no message"
    roles = [message.get("role") for message in messages]
    text = "\n".join(said(message.get("content")) for message in messages)
    return text, turns(roles[1:] if roles[0] == "system" else roles) or empties(messages)


def said(content: Any) -> str:
    """A message's text, of parts or whole."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def turns(roles: list[Any]) -> str:
    """What is wrong with whose turn it is."""
    if "assistant" not in roles:
        return "has no message of the assistant: no token is learned, and a mean over none is NaN"
    if any(role != ("user", "assistant")[i % 2] for i, role in enumerate(roles)):
        return "has roles that do not take turns, user first"
    return "" if roles[-1] == "assistant" else "ends with the user, and the assistant has no answer to learn"


def empties(messages: list[dict[str, Any]]) -> str:
    """Whether a message says nothing."""
    return "" if all(said(message.get("content")).strip() for message in messages) else "has a message without text"


def paragraphs(path: Path, told: Progress, problems: list[str]) -> Iterator[str]:
    """The paragraphs of a text, one by one; what is no UTF-8 is noted and shown as U+FFFD."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
    left, read = "", 0
    with path.open("rb") as file:
        while read < MOST and (data := file.read(PIECE)):
            try:
                text = decoder.decode(data)
            except UnicodeDecodeError as error:
                problems.append(f"near byte {read + error.start:,}: {error.reason}")
                decoder = codecs.getincrementaldecoder("utf-8")("strict")
                text = data.decode("utf-8", "ignore")
            read += len(data)
            told(read)
            *whole, left = (left + text).replace("\r\n", "\n").split("\n\n")
            yield from whole
            while len(left) > PARAGRAPH:
                yield left[:PARAGRAPH]
                left = left[PARAGRAPH:]
    if left:
        yield left


def read_text(path: Path, into: Documents, told: Progress) -> list[Finding]:
    """Take the paragraphs of a text; what is wrong with it."""
    problems: list[str] = []
    for paragraph in paragraphs(path, told, problems):
        if paragraph.strip():
            into.add(paragraph, compared=len(paragraph) >= TOLD_APART)
    if not problems:
        return stopped(path)
    advice = "convert it: iconv -f ENCODING -t UTF-8, with the encoding that it has"
    return [Finding("error", f"{path.name} is no UTF-8 {problems[0]}", f"{len(problems)} places at least", advice),
            *stopped(path)]  # fmt: skip
