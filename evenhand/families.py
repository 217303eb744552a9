"""Which model family a name belongs to: a judge tends to favour its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_FAMILIES = {
    "OpenAI GPT": r"gpt|chatgpt|davinci|\bo[1-9]\b|\bo[1-9]-",
    "Anthropic Claude": r"claude",
    "Google Gemini and Gemma": r"gemini|gemma|\bpalm\b|\bbard\b",
    "Meta Llama": r"llama|vicuna|alpaca|tulu",
    "Alibaba Qwen": r"qwen|qwq",
    "Mistral": r"mistral|mixtral|ministral|codestral",
    "DeepSeek": r"deepseek",
    "Cohere Command": r"command-?r|command-?a|\baya\b",
    "Microsoft Phi": r"\bphi-?\d",
    "xAI Grok": r"grok",
    "Zhipu GLM": r"\bglm\b|chatglm|glm-\d",
    "01.AI Yi": r"\byi-",
}


def family(name: str) -> str | None:
    """The family, or None when the name says none. Fine-tuned models count with their base."""
    lower = name.lower().rpartition("/")[2]
    for known, pattern in _FAMILIES.items():
        if re.search(pattern, lower):
            return known
    return None


def shared_families(judges: Iterable[str], systems: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(judge, system) pairs of one family, each judge family and system once."""
    seen = set()
    systems = list(systems)
    for judge in judges:
        for system in systems:
            kind = family(judge)
            if kind is not None and kind == family(system) and (kind, system) not in seen:
                seen.add((kind, system))
                yield judge, system
