import pytest

from evenhand.families import family, shared_families


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4.1-mini", "OpenAI GPT"),
        ("chatgpt-4o-latest", "OpenAI GPT"),
        ("openai/o3-mini", "OpenAI GPT"),
        ("o1", "OpenAI GPT"),
        ("text-davinci-003", "OpenAI GPT"),
        ("claude-3-5-sonnet", "Anthropic Claude"),
        ("gemini-2.5-pro", "Google Gemini and Gemma"),
        ("local/gemma3-270m", "Google Gemini and Gemma"),
        ("Meta-Llama-3-8B-Instruct", "Meta Llama"),
        ("vicuna-13b", "Meta Llama"),
        ("Qwen/QwQ-32B", "Alibaba Qwen"),
        ("mixtral-8x7b", "Mistral"),
        ("deepseek-r1", "DeepSeek"),
        ("command-r-plus", "Cohere Command"),
        ("phi-4", "Microsoft Phi"),
        ("grok-3", "xAI Grok"),
        ("chatglm3-6b", "Zhipu GLM"),
        ("yi-34b", "01.AI Yi"),
        ("gloop", None),
        ("ollama/smollm2", None),
        ("baseline", None),
        ("photo1", None),
        ("", None),
    ],
)
def test_a_name_tells_its_family(name: str, expected: str | None) -> None:
    assert family(name) == expected


def test_each_judge_family_and_system_is_told_once() -> None:
    judges = ["gpt-4.1", "gpt-4.1-2025-04-14", "claude-3"]
    systems = ["claude-2", "gpt-4o", "gloop"]
    assert list(shared_families(judges, systems)) == [
        ("gpt-4.1", "gpt-4o"),
        ("claude-3", "claude-2"),
    ]
