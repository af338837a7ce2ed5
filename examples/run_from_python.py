"""Run a recipe from Python and look at the samples.

The teacher is a function here, so that the example runs offline and in a second. For a real model put
``"model": "local/smollm2"`` (or ``vllm/…``, ``litellm/…``) in its place and leave ``backend_params`` out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import symposia
from symposia.contracts import ChatRequest

TEXT = """# Tides

The gravity of the Moon raises a bulge of water on the side of the Earth that faces it. A second bulge stands on the
far side. As the Earth turns, a coast passes through both bulges, so most coasts see two high tides a day. When Sun,
Moon and Earth stand in one line, their pulls add up, and the spring tides are higher than usual.
"""


def teacher(request: ChatRequest) -> str:
    """Ask about a sentence of the passage; which one depends on the seed of the request."""
    passage = re.findall(r"<passage>\n(.*?)\n</passage>", request.messages[-1]["content"], re.S)[-1]
    sentences = re.findall(r"[A-Z][^.]+\.", " ".join(passage.split()))
    sentence = sentences[(request.seed or 0) % len(sentences)]
    topic = " ".join(sentence.rstrip(".").split()[:6]).lower()
    return json.dumps({"quote": sentence, "question": f"What is said of {topic}?", "answer": sentence})


def main(folder: Path) -> None:
    """Make two samples and print them."""
    (folder / "tides.md").write_text(TEXT, encoding="utf-8")
    recipe = {
        "name": "tides",
        "graph": "qa",
        "samples": 2,
        "source": {"use": "documents", "path": str(folder / "tides.md")},
        "roles": {
            "teacher": {
                "model": "scripted/teacher",
                "backend_params": {"script": f"{Path(__file__).resolve()}:teacher"},
            }
        },
        "verifiers": ["schema", "refusal", "grounded"],
    }
    result = symposia.run(recipe, runs=folder / "runs")
    print(f"{result.run} is {result.state}: {result.accepted} accepted, {result.rejected} rejected")
    for sample in result.samples():
        for message in sample.messages:
            print(f"{message['role']:>10}: {message['content']}")
        print(f"{'evidence':>10}: {', '.join(sample.evidence)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
