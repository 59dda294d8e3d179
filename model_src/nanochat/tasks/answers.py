"""Answers as GSM8K writes them: ``12 + 7 = <<12+7=19>>19``, and on the last line ``#### 19``.

What stands between << and >> is a call of the calculator, with its result after the last ``=``. Cobbe et al., "Training
Verifiers to Solve Math Word Problems" (2021).
"""

import re

CALL = re.compile(r"<<([^<>]*)=([^<>=]*)>>")
MARKED = re.compile(r"#### (-?[0-9.,]+)")
Part = dict[str, str]  # {"type": "text", "python" or "python_output", "text": ...}


def parts_of(answer: str) -> list[Part]:
    """The answer as the parts of an assistant's message: each call becomes ``python`` and ``python_output``."""
    parts, end = [], 0
    for call in CALL.finditer(answer):
        parts += text_part(answer[end : call.start()])
        parts.append({"type": "python", "text": call[1]})
        parts.append({"type": "python_output", "text": call[2]})
        end = call.end()
    return parts + text_part(answer[end:])


def text_part(text: str) -> list[Part]:
    """A part of text, or none where there is no text."""
    return [{"type": "text", "text": text}] if text else []


def text_of(content: str | list[Part]) -> str:
    """A message's content as the text that ``parts_of`` was given."""
    if isinstance(content, str):
        return content
    around = {"text": "{}", "python": "<<{}=", "python_output": "{}>>"}
    return "".join(around[part["type"]].format(part["text"]) for part in content)


def marked_number(text: str) -> str | None:
    """What stands after the first ``#### `` that a number follows, without commas; None where there is none."""
    found = MARKED.search(text)
    return found[1].replace(",", "") if found else None
