"""The phrases by which the verifier ``refusal`` knows a refusal: regular expressions on case-folded text."""

from __future__ import annotations

import re

__all__ = ["CORE", "ELSEWHERE", "NO_ANSWER", "OPENERS"]


def _any(*parts: str) -> str:
    return f"(?:{'|'.join(parts)})"


_OPENING = (
    "oh well hello hi hey unfortunately regrettably sorry apologies apologize apologise apology afraid regret my "
    "i i'm am very so truly really sincerely deeply but however that for any the this your inconvenience confusion "
    "to say inform you as an a ai artificial intelligence language large model assistant chatbot and thank thanks "
    "asking question request understand while appreciate must be have it's it no nope just only being is we our "
    "we're are"
)
OPENERS = frozenset(_OPENING.split())
"""English words that may stand before the phrase; any other word makes it a report rather than a refusal."""

_CANT = _any(
    "can't",
    "cannot",
    "can not",
    "won't(?: be able to)?",
    "will not",
    "am unable to",
    "'m unable to",
    "am not able to",
    "'m not able to",
    "am not (?:allowed|permitted) to",
    "'m not (?:allowed|permitted) to",
    "(?:must|have to) decline to",
    "decline to",
    "refuse to",
    "are unable to",
    "'re unable to",
    "don't feel comfortable",
    "am not comfortable",
    "'m not comfortable",
)
_OBJECT = _any(
    "that",
    "this",
    "these",
    "those",
    "such",
    "it",
    "you",
    "your",
    "any",
    "specific",
    "personal",
    "medical",
    "legal",
    "financial",
    "explicit",
    "harmful",
    "(?:the|an?) (?:requested|answer|response|information|request|question|content|essay|code|story|summary)",
    "(?:further |detailed |more )?(?:information|instructions|advice|content|details|assistance|guidance)",
)
_DO = _any(
    "provid", "giv", "shar", "writ", "creat", "generat", "produc", "discuss", "answer", "complet", "fulfill?"
)
_DO_TOO = _any("offer", "engag", "continu", "support", "do")
_FILES = _any("link", "file", "image", "attachment", "document", "passage")
_REMOTE = _any("the internet", "external", "links", "urls", "images", "files", "real-time", "your", f"the {_FILES}")
_SELF = _any("ai", "artificial intelligence", "large language model", "language model", "virtual assistant")
_RULES = _any("guidelines", "programming", "training", "instructions", "safety guidelines")

CORE = re.compile(
    _any(
        rf"\b(?:i|we)(?: |(?=')){_CANT}(?: (?:actually|really|directly|currently|simply))? "
        + _any(
            r"(?:help|assist)(?:ing)?(?: you)?(?= ?(?:$|[.,;!?]))",
            rf"(?:help|assist)(?:ing)?(?: you)? (?:with|in|on) {_OBJECT}\b",
            rf"(?:{_DO}|{_DO_TOO})(?:e|ing|e in|ing in)?(?: with)? {_OBJECT}\b",
            r"(?:comply|proceed)\b",
            r"(?:respond to|fulfill?) (?:that|this|your|the request)\b",
            rf"(?:access|browse|view|open) {_REMOTE}\b",
        ),
        r"\bi (?:don't|do not) have "
        + _any(
            r"access to (?:the internet|external|real-time|current|your|that|this|any|the passage)\b",
            r"the ability to\b",
            r"enough (?:information|context) to\b",
            r"personal (?:opinions|experiences|feelings|beliefs)\b",
        ),
        r"\b(?:it|that|this)(?: is|'s| would be) "
        r"(?:not appropriate|inappropriate|unethical|not ethical|against my (?:guidelines|programming|polic\w+))\b",
        rf"\bmy {_RULES} (?:prevent|prohibit|forbid|do not allow|don't allow)\b",
        rf"\b(?:as|being) an? {_SELF}\b[^.!?\n]{{0,40}}\bi(?: |(?='))"
        r"(?:can't|cannot|don't|do not|am not|'m not|am unable|won't)\b",
    )
)
"""English refusals."""

NO_ANSWER = re.compile(
    _any(
        _any(
            "n/?a",
            "none",
            "unknown",
            "not (?:mentioned|specified|stated|given|provided|available|applicable)",
            "no answer",
            "i (?:don't|do not) know",
            "i(?:'m| am) not sure",
            "keine angabe",
            "je ne sais pas",
            "no lo sé",
            "不知道",
            "分かりません",
        )
        + r"[.!…]?$",
        r"(?:the|this) (?:given |provided )?(?:passage|text|context|document|article) (?:does not|doesn't|did not) "
        r"(?:mention|say|state|provide|contain|specify|give|include|explain)\b",
        r"there is (?:no|not enough|insufficient) (?:information|context|mention|data)\b",
        r"(?:it|this|that) (?:is not|isn't|cannot be|can't be) "
        r"(?:mentioned|specified|stated|determined|answered)\b",
    )
)
"""Texts that say that there is no answer."""


def _apology(openers: str, phrase: str) -> re.Pattern[str]:
    """A phrase behind an apology, in the same sentence."""
    return re.compile(rf"(?:{openers})[^.!?\n。！？]{{0,60}}?(?:{phrase})")


ELSEWHERE = (
    _apology(
        r"(?:es )?tut mir (?:sehr |wirklich )?leid|leider|entschuldigung|ich bedaue?re|als ki\b",
        r"(?:kann|darf|werde|möchte)\b[^.!?\n]{0,50}\b(?:nicht|keine)\b[^.!?\n]{0,40}\b"
        r"(?:helfen|weiterhelfen|behilflich|beantworten|erfüllen|nachkommen|bereitstellen|geben|erstellen|schreiben)\b",
    ),
    _apology(
        r"(?:je suis )?(?:désolée?|navrée?)|malheureusement|je regrette|en tant qu'ia\b",
        r"je (?:ne )?(?:peux|puis|suis) pas (?:en mesure de |capable de |vous |t')?[^.!?\n]{0,20}"
        r"(?:aider|répondre|fournir|satisfaire|créer|écrire|accéder)",
    ),
    _apology(
        r"lo siento|lo lamento|perdón|disculpa|lamentablemente",
        r"no puedo (?:ayudar|responder|proporcionar|cumplir|crear|generar|escribir|continuar|dar)",
    ),
    _apology(
        r"desculpe|lamento|sinto muito|infelizmente",
        r"não posso (?:ajudar|responder|fornecer|atender|criar|gerar|escrever|continuar|dar)",
    ),
    _apology(
        r"mi dispiace|spiacente|purtroppo",
        r"non posso (?:aiutar|risponder|fornir|soddisfar|crear|generar|scriver)",
    ),
    _apology(
        r"het spijt me|sorry|helaas",
        r"ik kan (?:je|u|dat|dit|hier|daar|deze|geen)\b[^.!?\n]{0,40}(?:helpen|beantwoorden|geven|schrijven)",
    ),
    _apology(
        r"przepraszam|przykro mi|niestety",
        r"nie mogę (?:ci |panu |pani )?(?:w tym )?(?:pomóc|odpowiedzieć|udzielić|napisać|spełnić)",
    ),
    _apology(
        r"извините|простите|к сожалению|мне жаль",
        r"я не (?:могу|в состоянии) (?:вам |тебе |с этим )?(?:помочь|ответить|предоставить|выполнить|написать)",
    ),
    _apology(r"üzgünüm|maalesef", r"yardımcı olamam|yardım edemem|yanıtlayamam|sağlayamam"),
    _apology(
        r"很?抱歉|对不起|對不起|非常抱歉",
        r"我?(?:无法|無法|不能|没法)(?:帮|幫|协助|協助|提供|回答|满足|滿足|完成|生成)",
    ),
    _apology(
        r"申し訳(?:ありません|ございません|ない)|すみません|ごめんなさい",
        r"できません|いたしかねます|できかねます|お答えできない",
    ),
    _apology(
        r"죄송(?:합니다|하지만|해요)|미안하지만",
        r"(?:도와드릴|도울|답변(?:해 )?드릴|제공(?:해 드릴|할)|답할) 수 없",
    ),
)
"""Refusals in German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Turkish, Chinese, Japanese and
Korean."""
