"""The verifier ``grounded``, and the rules on words, names and numbers under it."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.records import Draft, JsonObject, Task, Verdict
from symposia_plugins.verifiers import GroundedParams
from symposia_plugins.verifiers.grounded import GroundedVerifier
from symposia_plugins.verifiers.names import names
from symposia_plugins.verifiers.numbers import numbers_looked_for, values_given
from symposia_plugins.verifiers.words import content_stems, count_words, stem

PASSAGE = (
    "The second tower was designed by John Rudyerd, a London silk merchant. It was a smooth wooden cone, weighted "
    "inside with stone, and it was completed in 1709. It stood until December 1755, when the lantern caught fire. "
    "The keeper Henry Hall, who was said to be 94 years old, died some days later.\n"
    "His lighthouse was first lit in October 1759 and used twenty-four candles. The light reaches about 1,250 "
    "square miles in clear air."
)
GOOD: JsonObject = {
    "question": "Who designed the second Eddystone tower?",
    "answer": "John Rudyerd, a London silk merchant, designed the second tower.",
    "quote": "The second tower was designed by John Rudyerd, a London silk merchant.",
}


async def check(changes: Mapping[str, str], passage: str = PASSAGE) -> Verdict:
    task = Task(number=0, seed={"passage": passage, "title": "Lighthouses", "heading": "The Four Eddystone Towers"})
    draft = Draft(round=0, author="teacher", payload={**GOOD, **changes})
    return await GroundedVerifier(GroundedParams()).verify(draft, task)


async def test_a_grounded_answer_passes_as_content_evidence() -> None:
    verdict = await check({})
    assert (verdict.status, verdict.kind, verdict.cause) == ("pass", "content", "")
    assert verdict.evidence.data["support"] == 1.0


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"quote": "The second tower was designed by John Rudyard, a London silk merchant."}, "quote_not_found"),
        ({"quote": "the second tower was designed by John Rudyerd, a London silk merchant."}, "quote_not_found"),
        ({"quote": "The second tower was designed … a London silk merchant."}, "quote_not_found"),
        ({"quote": '"The second tower was designed by John Rudyerd"'}, "quote_not_found"),
        ({"quote": "designed by John Rudyerd"}, "quote_too_short"),
        ({"quote": ""}, "empty_field"),
        ({"answer": "!!!"}, "empty_field"),
        ({"question": "Tell me who designed the second tower."}, "not_a_question"),
        ({"question": "Who designed it?"}, "not_a_question"),
        ({"answer": "Who designed the second Eddystone tower?"}, "answer_is_question"),
        ({"question": "Did John Rudyerd, a London silk merchant, design it?", "answer": "John Rudyerd."},
         "question_gives_answer"),
        ({"question": f"{GOOD['quote']} Is that right?"}, "question_is_quote"),
        ({"question": "Which football club won the cup?"}, "question_unrelated"),
        ({"question": "Who designed the tower of 1698?"}, "question_number_not_found"),
        ({"answer": "John Rudyerd, a London silk merchant, designed it in 1708."}, "number_not_found"),
        ({"answer": "John Rudyerd, a silk merchant, designed it with thirty candles."}, "number_not_found"),
        ({"answer": "John Smeaton, a London silk merchant, designed it."}, "name_not_found"),
        ({"answer": "Napoleon designed the second tower."}, "name_not_found"),
        ({"answer": "It was he who did it."}, "answer_without_content"),
        ({"answer": "He was a famous engineer and traveller, born abroad into a family of sailors."},
         "answer_unsupported"),
        ({"question": "How old was the keeper Henry Hall?"}, "question_elsewhere"),
        ({"answer": "The second tower was designed."}, "answer_adds_nothing"),
        ({"quote": "It stood until December 1755, when the lantern caught fire."}, "quote_unrelated"),
        ({"question": "When was the second tower completed?", "answer": "It was completed in 1709.",
          "quote": "It stood until December 1755, when the lantern caught fire."}, "quote_unrelated"),
        ({"answer": "The tower of the tower of the tower of the tower of the tower of Rudyerd."}, "repeats_itself"),
    ],
)  # fmt: skip
async def test_what_is_wrong_has_a_cause_of_its_own(changes: dict[str, str], cause: str) -> None:
    verdict = await check(changes)
    assert (verdict.status, verdict.cause) == ("fail", cause), verdict.evidence
    assert verdict.evidence.summary


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": "It was completed in 1709.\n It stood until December 1755".replace("It was", "it was")},
        {"question": "When was the second tower completed?", "answer": "In 1709.",
         "quote": "it was completed in 1709. It stood"},
        {"question": "How many candles did the light use?", "answer": "It used 24 candles.",
         "quote": "used twenty-four candles. The light reaches"},
        {"question": "How old was Henry Hall said to be?", "answer": "He was said to be ninety-four.",
         "quote": "who was said to be 94 years old"},
        {"question": "How far does the light reach in clear air?", "answer": "About 1250 square miles.",
         "quote": "The light reaches about 1,250 square miles in clear air."},
        {"question": "Was the second tower made of wood or of stone?", "answer": "It was a smooth wooden cone.",
         "quote": "It was a smooth wooden cone, weighted inside with stone"},
        {"question": "Did the lantern of the second tower catch fire?", "answer": "Yes, the lantern caught fire.",
         "quote": "It stood until December 1755, when the lantern caught fire."},
        {"question": "What was the tower like?", "answer": "Wooden and smooth, it was weighted with stone.",
         "quote": "It was a smooth wooden cone, weighted inside with stone"},
        {"question": "What happened to the keeper of the tower?", "answer": "Sadly, he died some days later.",
         "quote": "who was said to be 94 years old, died some days later."},
    ],
)  # fmt: skip
async def test_honest_answers_pass(changes: dict[str, str]) -> None:
    if "question" not in changes:
        changes = {"question": "When was the second tower completed?", "answer": "In 1709.", **changes}
        changes["quote"] = "it was completed in 1709.\n It stood until December 1755"
    verdict = await check(changes)
    assert verdict.status == "pass", (verdict.cause, verdict.evidence)


async def test_all_that_is_wrong_is_named_after_the_first_cause() -> None:
    verdict = await check({"answer": "Napoleon built 77 of them.", "quote": "not there at all, my friend"})
    assert verdict.cause == "quote_not_found"
    assert verdict.evidence.data["also"] == [
        "number_not_found",
        "name_not_found",
        "answer_unsupported",
        "quote_unrelated",
    ]


async def test_a_quote_that_is_not_there_is_shown_with_what_matches() -> None:
    verdict = await check({"quote": "The second tower was designed by nobody in particular"})
    assert verdict.evidence.data["longest_match"] == "The second tower was designed by"


async def test_composed_and_decomposed_letters_are_equal_and_others_are_not() -> None:
    passage = unicodedata.normalize("NFD", "The engineer Joseph Teulère made the tower of Cordouan much taller.")
    said = {
        "question": "Who made the tower of Cordouan taller?",
        "answer": "Joseph Teulère made it taller.",
        "quote": "The engineer Joseph Teulère made the tower",
    }
    assert (await check(said, passage)).status == "pass"
    assert (await check({**said, "answer": "Joseph Teulere did."}, passage)).cause == "name_not_found"
    straight = {"quote": "The keeper's boat was lost in"}
    assert (await check(straight, "The keeper’s boat was lost in the great storm.")).cause == "quote_not_found"


async def test_settings_name_fields_and_bounds() -> None:
    params = GroundedParams(
        quote_field="evidence",
        answer_field="a",
        question_field="q",
        passage_field="text",
        min_quote_words=2,
        min_support=1,
    )
    task = Task(number=0, seed={"text": "Bells rang in the fog."})
    payload: JsonObject = {"q": "What rang in the fog?", "a": "Bells.", "evidence": "Bells rang"}
    draft = Draft(round=0, author="t", payload=payload)
    assert (await GroundedVerifier(params).verify(draft, task)).status == "pass"


async def test_title_and_heading_count_only_where_the_recipe_says_so() -> None:
    said: JsonObject = {
        "question": "Which tower was designed by Rudyerd?",
        "answer": "The second Eddystone tower was his.",
        "quote": "The second tower was designed by John Rudyerd",
    }
    seed: JsonObject = {"passage": PASSAGE, "heading": "The Four Eddystone Towers"}
    for params, cause in ((GroundedParams(), "name_not_found"), (GroundedParams(context_fields=("heading",)), "")):
        draft, task = Draft(round=0, author="t", payload=said), Task(number=0, seed=seed)
        assert (await GroundedVerifier(params).verify(draft, task)).cause == cause
        heading = Draft(round=0, author="t", payload={**said, "quote": "The Four Eddystone Towers stood here"})
        assert (await GroundedVerifier(params).verify(heading, task)).cause == "quote_not_found"


# -- laws ----------------------------------------------------------------------------------------------------

TOKENS = PASSAGE.split()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(TOKENS) - 5), st.integers(5, 40), st.sampled_from([" ", "\n", "  \t", "\u00a0"]))
async def test_any_run_of_five_words_of_the_passage_is_a_quote(start: int, length: int, gap: str) -> None:
    quote = gap.join(TOKENS[start : start + length])
    verdict = await check({"quote": quote})
    causes = {verdict.cause, *verdict.evidence.data.get("also", [])}  # type: ignore[misc]
    assert not causes & {"quote_not_found", "quote_too_short"}


@settings(max_examples=200, deadline=None)
@given(st.data())
async def test_a_quote_with_one_changed_character_is_none(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(TOKENS) - 8))
    quote = " ".join(TOKENS[start : start + 8])
    at = data.draw(st.integers(0, len(quote) - 1))
    other = data.draw(st.sampled_from("qxz7§"))
    changed = quote[:at] + other + quote[at + 1 :]
    if " ".join(changed.split()) not in " ".join(PASSAGE.split()):
        verdict = await check({"quote": changed})
        assert verdict.cause == "quote_not_found"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**7))
async def test_a_number_that_the_passage_does_not_give_fails(number: int) -> None:
    verdict = await check({"answer": f"John Rudyerd, a London silk merchant, designed it for {number} pounds."})
    if str(number) in {"1709", "1755", "94", "1759", "24", "1250", "1", "2"}:
        assert verdict.cause != "number_not_found"
    else:
        assert verdict.cause == "number_not_found"


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300), st.text(min_size=1, max_size=500))
async def test_no_text_breaks_the_check(question: str, answer: str, quote: str, passage: str) -> None:
    verdict = await check({"question": question, "answer": answer, "quote": quote}, passage)
    assert verdict.status in {"pass", "fail", "abstain"}


# -- numbers, names, words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,295,000", [{"1295000"}]),
        ("2.6", [{"2.6"}]),
        ("It is about 2.", [{"2"}]),
        ("1.295", [{"1.295", "1295"}]),
        ("2,5", [{"2.5"}]),
        ("1,295.50", [{"1295.5"}]),
        ("1’000", [{"1000"}]),
        ("12.5.2020", [{"12.5.2020"}]),
        ("0.50 and 007", [{"0.5"}, {"7"}]),
        ("the 24th in the 1990s, 10km", [{"24"}, {"1990"}, {"10"}]),
        ("B12", []),
        ("10²", [{"10"}]),
        ("٣٤", [{"34"}]),
        ("-5 degrees", [{"-5"}]),
        ("1807-1811", [{"1807"}, {"1811"}]),
        ("4 million, 2.5 thousand", [{"4000000"}, {"2500"}]),
        ("twenty-four", [{"24"}]),
        ("two hundred and fifty", [{"250"}]),
        ("two million three hundred thousand and five", [{"2300005"}]),
        ("nineteen twenty", [{"19"}, {"20"}]),
        ("three and four", [{"3"}, {"4"}]),
        ("a hundred metres", [{"100"}]),
        ("one of the first", []),
        ("no numbers", []),
    ],
)
def test_numbers_are_read_by_their_values(text: str, values: list[set[str]]) -> None:
    assert [set(number.values) for number in numbers_looked_for(text)] == values


def test_a_passage_gives_more_readings_than_an_answer_may_claim() -> None:
    given_ = values_given("One light, the first of 4 million, at -5 degrees, in the twenty-first year.")
    assert {"1", "4", "4000000", "-5", "5", "21"} <= given_


@given(st.integers(0, 10**12))
def test_a_number_with_separators_has_its_value(number: int) -> None:
    (found,) = numbers_looked_for(f"{number:,}")
    assert str(number) in found.values


@given(st.integers(2, 999_999))
def test_a_number_in_words_has_its_value(number: int) -> None:
    (found,) = numbers_looked_for(f"about {spelled(number)} ships")
    assert found.values == {str(number)}


SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety"


def spelled(number: int) -> str:
    small = [*SMALL.split(), "seventeen", "eighteen", "nineteen"]
    tens = TENS.split()
    if number < 20:
        return small[number]
    if number < 100:
        return tens[number // 10] + (f"-{small[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{small[number // 100]} hundred" + (f" and {spelled(number % 100)}" if number % 100 else "")
    rest = f" {spelled(number % 1000)}" if number % 1000 else ""
    return f"{spelled(number // 1000)} thousand{rest}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Henry Hall, the keeper, lived in Plymouth.", ["Henry", "Hall", "Plymouth"]),
        ("The Romans built it. However, Napoleon did not.", ["Romans", "Napoleon"]),
        ("Napoleon died. Workers left. Building began. Sadly, it fell.", ["Napoleon"]),
        ("Dr. Smith and I met Sir John at the UNESCO office.", ["Smith", "John", "UNESCO"]),
        ("It's IT, and I'm A.", []),
        ("“Smeaton’s tower”, he said.", ["Smeaton’s"]),
        ("the anglo-Saxon kings", ["Saxon"]),
        ("no names here", []),
    ],
)
def test_names_are_capitalised_words_but_not_common_openers(text: str, found: list[str]) -> None:
    assert list(names(text)) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [("keepers", "keeper"), ("stories", "story"), ("stopped", "stop"), ("guiding", "guide"), ("candles", "candle"),
     ("Smeaton's", "Smeaton"), ("designed", "designs"), ("tower", "towers")],
)  # fmt: skip
def test_stems_bring_forms_of_a_word_together(one: str, other: str) -> None:
    assert stem(one.casefold()) == stem(other.casefold())


def test_words_are_counted_in_wide_scripts_too() -> None:
    assert count_words("The keeper's light-house, 24 candles") == 6
    assert count_words("灯塔很高 ok") == 5
    assert content_stems("The light of the keepers is 5 m") == ["light", "keeper", "5"]


def test_the_rules_hold_for_many_true_sentences() -> None:
    """A sentence is grounded in itself, whatever it says."""
    rng = random.Random(1)
    for sentence in re.split(r"(?<=\.)\s+", PASSAGE):
        given_ = values_given(PASSAGE)
        assert all(number.values & given_ for number in numbers_looked_for(sentence))
        said = sentence.split()
        rng.shuffle(said)
        assert set(content_stems(" ".join(said))) <= set(content_stems(PASSAGE))
