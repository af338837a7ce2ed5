"""The verifiers of the form: schema, length, refusal, leak."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from symposia.errors import RecipeError
from symposia.host import Host, Workbench
from symposia.records import Draft, JsonObject, Persona, Task, Verdict
from symposia.testing.conformance.rules import ODD_TEXTS

HOST = Host(allow=())
BENCH = Workbench(HOST, Path())


async def check(
    name: str, payload: JsonObject, params: JsonObject | None = None, task: Task | None = None
) -> Verdict:
    verifier = BENCH.build("verifier", name, params or {})
    verdict: Verdict = await verifier.verify(
        Draft(round=0, author="teacher", payload=payload), task or Task(number=0)
    )
    assert verdict.kind == "form"
    return verdict


# -- schema --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "params", "cause"),
    [
        ({"q": "a", "n": 1}, {}, ""),
        ({"q": " \n", "a": "b"}, {}, "empty_field"),
        ({}, {}, "empty_draft"),
        ({"q": "x"}, {"fields": ["q", "a"]}, "missing_field"),
        ({"q": "x", "a": ""}, {"fields": ["q", "a"]}, "empty_field"),
        ({"q": "x", "a": 3}, {"fields": ["q", "a"]}, "wrong_type"),
        ({"q": "x", "a": None}, {"fields": ["q", "a"]}, "wrong_type"),
        ({"q": "x"}, {"fields": {"q": {"min_length": 2}}}, "too_short"),
        ({"q": "xyz"}, {"fields": {"q": {"max_length": 2}}}, "too_long"),
        ({"q": "x"}, {"fields": {"q": {}, "a": {"required": False}}}, ""),
        ({"q": "x", "z": "y"}, {"fields": ["q"], "closed": True}, "unknown_field"),
        ({"q": "x", "z": "y"}, {"fields": ["q"]}, ""),
        ({"kind": "b"}, {"fields": {"kind": {"choices": ["a", "b"]}}}, ""),
        ({"kind": "c"}, {"fields": {"kind": {"choices": ["a", "b"]}}}, "not_a_choice"),
        ({"n": 3}, {"fields": {"n": {"type": "integer"}}}, ""),
        ({"n": True}, {"fields": {"n": {"type": "integer"}}}, "wrong_type"),
        ({"n": 0.5}, {"fields": {"n": {"type": "integer"}}}, "wrong_type"),
        ({"n": 0.5}, {"fields": {"n": {"type": "number"}}}, ""),
        ({"n": []}, {"fields": {"n": {"type": "list"}}}, "empty_field"),
        ({"n": [1, 2]}, {"fields": {"n": {"type": "list", "max_length": 1}}}, "too_long"),
        ({"n": {}}, {"fields": {"n": {"type": "object"}}}, ""),
        ({"n": False}, {"fields": {"n": {"type": "boolean"}}}, ""),
    ],
)
async def test_schema(payload: JsonObject, params: JsonObject, cause: str) -> None:
    verdict = await check("schema", payload, params)
    assert (verdict.status, verdict.cause) == ("fail" if cause else "pass", cause)


async def test_schema_names_the_field_and_what_was_meant() -> None:
    verdict = await check(
        "schema", {"question": "x", "anwser": "y"}, {"fields": ["question", "answer"], "closed": True}
    )
    assert verdict.evidence.data == {"field": "answer", "also": ["unknown_field"]}
    assert "did you mean 'answer'" in verdict.evidence.summary


# -- length --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({"min_words": 7}, ""),
        ({"min_words": 8}, "too_short"),
        ({"max_words": 7}, ""),
        ({"max_words": 6}, "too_long"),
        ({"fields": {"answer": {"min_words": 4}}}, ""),
        ({"fields": {"answer": {"min_words": 5}}}, "too_short"),
        ({"fields": {"none": {"min_words": 1}}}, "too_short"),
        ({"fields": {"none": {"max_words": 1}}}, ""),
    ],
)
async def test_length(params: JsonObject, cause: str) -> None:
    payload: JsonObject = {"question": "How far off?", "answer": "About twelve sea miles.", "n": 5}
    verdict = await check("length", payload, params)
    assert (verdict.status, verdict.cause) == ("fail" if cause else "pass", cause)


@pytest.mark.parametrize("params", [{}, {"min_words": 5, "max_words": 4}, {"fields": {"a": {}}}, {"min_word": 5}])
def test_length_without_a_sensible_bound_is_refused(params: JsonObject) -> None:
    with pytest.raises(RecipeError):
        HOST.params("verifier", "length", params)


# -- refusal -------------------------------------------------------------------------------------------------------

REFUSALS = """
I'm sorry, but I can't assist with that request.
I’m sorry, but I can’t help with that.
I cannot help with that.
Sorry, I can't provide that information.
As an AI language model, I cannot provide medical advice.
As an AI, I don't have personal opinions.
I am unable to answer this question.
Unfortunately, I'm not able to share specific details.
I won't be able to help.
I can't help you with that.
I do not have access to real-time data.
It is not appropriate for me to say.
My guidelines prevent me from answering.
I apologize, but I cannot fulfill this request.
I must decline to answer that.
I can't comply with this request.
I cannot create content that is harmful.
I can't browse the internet.
**I'm sorry**, but I can't continue with this.
I'm afraid I can't do that.
Thank you for asking, but I cannot discuss that topic.
Es tut mir leid, aber ich kann dir dabei nicht helfen.
Leider kann ich diese Frage nicht beantworten.
Je suis désolé, mais je ne peux pas vous aider avec cela.
Lo siento, pero no puedo ayudar con eso.
Desculpe, mas não posso ajudar com isso.
Mi dispiace, ma non posso aiutarti con questo.
Het spijt me, maar ik kan je daar niet mee helpen.
Przepraszam, ale nie mogę ci w tym pomóc.
Извините, но я не могу помочь с этим.
Üzgünüm, bu konuda yardımcı olamam.
很抱歉，我无法回答这个问题。
对不起，我不能帮助你。
申し訳ありませんが、そのリクエストにはお答えできません。
죄송하지만 그 요청은 도와드릴 수 없습니다.
"""
NO_ANSWERS = """
N/A
Unknown.
I don't know.
The passage does not mention the date.
There is no information about this.
Not mentioned.
It is not specified in the text.
"""
HONEST = """
I can't help but admire the keepers.
I can't help it, the fog horn is loud.
I can't see the light from here, the keeper wrote.
I cannot recommend the tower enough.
I can't write left-handed, said Winstanley.
I can't answer the door in a storm.
I can't help you carry it, said the keeper.
I can't give up now, she said.
I can't share a room with him any more, the assistant keeper complained.
I cannot continue my journey until the light is lit.
I am unable to swim, so I wore a vest.
I do not have the keys.
I won't give way, answered the lighthouse.
I don't know how to swim, he told her.
I'm sorry for the keepers, who lived alone.
You can't help a ship without a light.
The keeper said, "I can't help with that."
He could not help with the repairs.
As an engineer, I can't accept a wooden tower.
Sorry is not a word that Smeaton used.
Unfortunately, the tower burned in 1755.
None of the towers survived.
Unknown to the keepers, the lamp had failed.
The text of the inscription does not survive.
There is no lighthouse on the island.
The light can't be seen beyond 20 miles.
It is not known who built it.
Leider brannte der Turm 1755 ab.
Lo siento por los marineros.
"""


@pytest.mark.parametrize("text", REFUSALS.strip().splitlines())
async def test_a_refusal_is_known_in_many_languages(text: str) -> None:
    assert (await check("refusal", {"answer": text})).cause == "refusal"
    assert (await check("refusal", {"messages": [{"role": "assistant", "content": text}]})).cause == "refusal"


@pytest.mark.parametrize("text", NO_ANSWERS.strip().splitlines())
async def test_a_text_that_says_there_is_no_answer_is_none(text: str) -> None:
    assert (await check("refusal", {"answer": text})).cause == "no_answer"


@pytest.mark.parametrize("text", HONEST.strip().splitlines())
async def test_an_honest_sentence_is_no_refusal(text: str) -> None:
    assert (await check("refusal", {"answer": text})).status == "pass"


async def test_only_what_answers_can_refuse() -> None:
    said = "I'm sorry, but I can't assist with that."
    assert (await check("refusal", {"question": said, "quote": said, "answer": "It was lit."})).status == "pass"
    assert (await check("refusal", {"messages": [{"role": "user", "content": said}]})).status == "pass"
    assert (await check("refusal", {"question": said}, {"fields": ["question"]})).cause == "refusal"
    assert (await check("refusal", {"answer": f"The keeper wrote a letter. {said}"})).status == "pass"


# -- leak ----------------------------------------------------------------------------------------------------------

PASSAGE = Task(number=0, seed={"passage": "The light was first shown in 1811."})


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("It was lit.<|im_end|>", "template_token"),
        ("[INST] When? [/INST]", "template_token"),
        ("<<SYS>> be kind <</SYS>>", "template_token"),
        ("It was lit.</s>", "template_token"),
        ("<think>hm</think> In 1811.", "template_token"),
        ("Assistant: In 1811.", "template_token"),
        ("In 1811.\n### Response: more", "template_token"),
        ("As an AI language model, I think it was lit.", "ai_disclosure"),
        ("Well, I'm just an AI, but it was lit in 1811.", "ai_disclosure"),
        ("My knowledge cutoff is 2021.", "ai_disclosure"),
        ("Als KI-Sprachmodell weiß ich es.", "ai_disclosure"),
        ("According to the passage, in 1811.", "source_reference"),
        ("What does the passage above say?", "source_reference"),
        ("The text mentions 1811.", "source_reference"),
        ("Based on the given context, in 1811.", "source_reference"),
        ("Dear [Your Name], it was lit.", "placeholder"),
        ("It was lit in [date].", "placeholder"),
        ("Ask {{ name }} about it.", "placeholder"),
        ("<insert answer here>", "placeholder"),
        ("Lorem ipsum dolor.", "placeholder"),
        ("Answer: in 1811.", "field_name"),
        ('{"answer": "in 1811"}', "field_name"),
    ],
)
async def test_leak(text: str, cause: str) -> None:
    verdict = await check("leak", {"answer": text}, task=PASSAGE)
    assert (verdict.status, verdict.cause) == ("fail", cause)


@pytest.mark.parametrize(
    "text",
    [
        "It was first shown in 1811.",
        "Use an AI language model to sum up the log.",
        "A passage through the strait took two days, and the passage of time did the rest.",
        "See [the chart](https://example.org) and note [1]; the list[name] holds a name.",
        "He struck <s>1810</s> out and wrote 1811.",
        "a < b and c > d; x[0] = y",
        "The user of the light, the assistant keeper and the system of signals: all were new.",
        "Its answer was simple: more oil.",
        "He filled the form: name, date and place.",
    ],
)
async def test_honest_text_leaks_nothing(text: str) -> None:
    verdict = await check("leak", {"answer": text}, task=PASSAGE)
    assert verdict.status == "pass", (verdict.cause, verdict.evidence)


async def test_a_source_is_only_pointed_at_where_there_is_one() -> None:
    assert (await check("leak", {"answer": "According to the passage, in 1811."})).status == "pass"


async def test_what_the_source_says_itself_is_no_leak() -> None:
    task = Task(
        number=0, seed={"passage": "ChatML ends a turn with <|im_end|>. Write [date] there.", "sentences": ["x"]}
    )
    assert (await check("leak", {"quote": "a turn with <|im_end|>. Write [date]"}, task=task)).status == "pass"
    assert (await check("leak", {"quote": "a turn with <|im_start|>"}, task=task)).cause == "template_token"


async def test_the_words_behind_the_prompt_must_not_come_back() -> None:
    persona = Persona(
        id="nurse",
        name="A nurse",
        description="Works alone on a busy ward after midnight and has minutes to look things up.",
        style="short and exact; asks what to do next",
    )
    system = "Answer in one short sentence and name the year, if there is one."
    task = Task(number=0, persona=persona, system=system, seed={"passage": "Nothing to see."})
    for text, cause in (
        ("I work. Works alone on a busy ward after midnight and so on.", "prompt_text"),
        ("Please answer in one short sentence and name the year!", "prompt_text"),
        ("It is short and exact; asks what to do next.", "prompt_text"),
        ("A nurse works alone on a busy ward.", ""),
        ("Answer in one short sentence.", ""),
    ):
        assert (await check("leak", {"answer": text}, task=task)).cause == cause, text
    quoted = task.model_copy(update={"seed": {"passage": f"The rule was: {system}"}})
    assert (
        await check("leak", {"answer": "Answer in one short sentence and name the year"}, task=quoted)
    ).cause == ""


async def test_names_of_fields_do_not_show() -> None:
    payload: JsonObject = {"source_quote": "The light was lit.", "answer": "The source_quote says so."}
    assert (await check("leak", payload)).cause == "field_name"
    assert (await check("leak", payload, {"fields": ["source_quote"]})).status == "pass"


# -- all -----------------------------------------------------------------------------------------------------------

ALL = [("schema", {}), ("length", {"min_words": 1}), ("refusal", {}), ("leak", {}), ("grounded", {})]


def naughty() -> list[str]:
    folder = os.environ.get("SYMPOSIA_TEST_DATA")
    if not folder:
        return []
    strings: list[str] = json.loads((Path(folder) / "naughty_strings.json").read_text(encoding="utf-8"))
    return strings


@pytest.mark.parametrize(("name", "params"), ALL)
async def test_no_string_breaks_a_verifier(name: str, params: JsonObject) -> None:
    """With SYMPOSIA_TEST_DATA set to a folder, its ``naughty_strings.json`` is tried too."""
    verifier = BENCH.build("verifier", name, params)
    for text in [*ODD_TEXTS, *naughty()]:
        payload: JsonObject = {"question": text, "answer": text, "quote": text}
        task = Task(number=0, seed={"passage": text, "heading": text}, system=text)
        verdict = await verifier.verify(Draft(round=0, author="t", payload=payload), task)
        assert verdict.status in {"pass", "fail", "abstain"}


@pytest.mark.parametrize(("name", "params"), ALL)
@pytest.mark.parametrize(
    "unit", [".", " ", "\n", "a'", "1,", "hundred and ", "<|a", "[your a", "i'm sorry ", "Ab "]
)
async def test_no_long_text_takes_long(name: str, params: JsonObject, unit: str) -> None:
    """A pattern that backtracks needs minutes of processor time for this, the present ones a tenth of a second."""
    verifier = BENCH.build("verifier", name, params)
    text = (unit * 20_000)[:20_000]
    start = time.process_time()
    payload: JsonObject = {"question": text, "answer": text, "quote": text}
    task = Task(number=0, seed={"passage": text}, system=text[:2000])
    await verifier.verify(Draft(round=0, author="t", payload=payload), task)
    assert time.process_time() - start < 5
