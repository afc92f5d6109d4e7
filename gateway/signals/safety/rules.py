"""Rules that name what an attack looks like: for explanation, and as evidence beside the classifier.

Each is a pattern over plain text (`gateway.signals.safety.spelling.plain`). No pattern has nested repetition, and the
text that they are given is bounded, so that their time is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OLD = r"(?:previous|prior|above|preceding|earlier|initial|original|existing|system|your|foregoing|past)"
_ORDER = (
    r"(?:instructions?|prompts?|directions?|directives?|rules?|guidelines?|commands?|training|programming|constraints?)"
)
_LIMIT = (
    r"(?:restrictions?|limits?|limitations?|filters?|censorship|ethics|ethical|moral(?:s|ity)?|guidelines?|rules?|"
    r"polic(?:y|ies)|safeguards?|safety|constraints?|boundaries|guardrails?|warnings?|disclaimers?)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of attack: its name, what it looks like, and words without which its pattern is not tried."""

    name: str
    pattern: re.Pattern[str]
    cues: tuple[str, ...]

    def holds(self, text: str) -> bool:
        """Tell whether it holds of a plain text."""
        return any(cue in text for cue in self.cues) and self.pattern.search(text) is not None


_LIMIT_CUES = (
    "restrict", "limit", "filter", "censor", "ethic", "moral", "guideline", "rule", "polic", "safe", "constraint",
    "boundar", "guardrail", "warning", "disclaimer",
)  # fmt: skip
RULES = (
    Rule(
        "instruction_override",
        re.compile(
            rf"\b(?:ignor(?:e|ing)|disregard|forget|overrid(?:e|ing)|bypass|neglect|discard|do not follow|"
            r"don't follow|stop following)\b"
            rf"[^.\n]{{0,40}}\b{_OLD}\b[^.\n]{{0,30}}\b{_ORDER}\b"
            rf"|\b(?:ignore|disregard|forget) (?:all|any|every|your)(?: of)?(?: the| your| my| these)? {_ORDER}\b"
            r"|\b(?:ignore|disregard|forget) (?:all|everything|anything)\b[^.\n]{0,30}"
            r"\b(?:told|said|before|above|instructed|learned)\b"
        ),
        ("ignor", "disregard", "forget", "override", "bypass", "neglect", "discard", "follow"),
    ),
    Rule(
        "no_limits",
        re.compile(
            rf"\b(?:no|without|free (?:of|from)|ignor\w+|bypass\w*|remov\w+|disabl\w+|lift\w*|unbound by|"
            rf"not bound by|devoid of|not restricted by|not limited by|any)\b[^.\n]{{0,25}}\b{_LIMIT}\b"
        ),
        _LIMIT_CUES,
    ),
    Rule(
        "unrestricted_persona",
        re.compile(
            r"\b(?:unrestricted|unfiltered|uncensored|unlimited|amoral|unethical|immoral|jailbroken|lawless|"
            r"evil|limitless)\b[^.\n]{0,40}\b(?:ai|assistant|model|chatbot|bot|gpt|version|persona|character|mode|twin|being|confidant)\b"
        ),
        ("unrestrict", "unfilter", "uncensor", "limit", "moral", "unethic", "jailbroken", "lawless", "evil"),
    ),
    Rule(
        "do_anything_now",
        re.compile(r"\bdo anything now\b|\b(?:you are|as|act as|called|named) (?:now )?(?:dan|stan|dude|aim|ucar)\b"),
        ("anything now", "dan", "dude", "aim", "ucar"),
    ),
    Rule(
        "special_mode",
        re.compile(
            r"\b(?:developer|dev|debug|god|admin|root|maintenance|opposite|jailbreak|unrestricted|"
            r"sudo|dan|evil|chaos) mode\b"
        ),
        (" mode",),
    ),
    Rule(
        "never_refuse",
        re.compile(
            r"\b(?:never|not|don't|cannot|can't|must not) (?:ever )?(?:refus\w+|declin\w+|reject\w*|"
            r"apologi[sz]e|say (?:that )?(?:you|no|sorry))"
            r"|\b(?:can(?:no|')t|never) (?:say no|refuse)\b"
        ),
        ("refus", "declin", "reject", "apolog", "say "),
    ),
    Rule(
        "forced_opening",
        re.compile(
            r"\b(?:start|begin|respond|reply|answer)\w*\b[^.\n]{0,40}\b(?:with|by saying)\b[^.\n]{0,12}"
            r"[\"'](?:sure|absolutely|of course|yes|certainly|here is)\b"
        ),
        ("with", "by saying"),
    ),
    Rule(
        "two_answers",
        re.compile(
            r"\b(?:two|2|both) (?:different |separate |distinct )?(?:responses?|answers?|ways|paragraphs|replies)\b"
            r"|\[(?:🔓|🔒|dan|jailbreak|classic|gpt|chatgpt)\w*\]"
        ),
        ("two ", "2 ", "both ", "["),
    ),
    Rule(
        "prompt_extraction",
        re.compile(
            r"\b(?:reveal|show|print|repeat|output|display|tell me|give me|disclose|leak|dump|share|expose|"
            r"what (?:is|are|were))\b[^.\n]{0,40}\b(?:your|the|hidden|secret|initial|original|full) (?:\w+ ){0,2}"
            r"(?:system prompt|system message|hidden prompt|prompt|initial instructions|configuration|instructions)\b"
            r"|\b(?:everything|text|words|content) above (?:this|here)\b"
        ),
        ("prompt", "instructions", "configuration", "message", "above "),
    ),
    Rule(
        "false_turn",
        re.compile(
            r"<\|?(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|?>|\[/?inst\]|<</?sys>>|"
            r"^\W{0,6}(?:system|admin)\W{0,3}[:>\]]",
            re.MULTILINE,
        ),
        ("<", "[", "system", "admin"),
    ),
    Rule(
        "hidden_order",
        re.compile(
            r"\b(?:ai|llm|language model|assistants?|agents?|chatbots?)\b[^.\n]{0,50}"
            r"\b(?:must|should|ignore|disregard|instead)\b[^.\n]{0,60}"
            r"\b(?:user|instead|without (?:telling|mentioning)|do not (?:tell|mention)|secretly)\b"
            r"|\bdo not (?:tell|inform|mention (?:this|it) to) the user\b|<!--[^>]{0,80}\b(?:ignore|assistant|ai)\b"
        ),
        ("user", "instead", "without", "<!--", "secretly"),
    ),
    Rule(
        "framed_as_fiction",
        re.compile(
            r"\b(?:hypothetical(?:ly)?|fiction(?:al|ally)?|imagin\w+|novel|story|movie|role-?play|pretend)\b[^\n]{0,160}"
            rf"\b(?:no|without|any) (?:\w+ ){{0,3}}{_LIMIT}\b"
        ),
        _LIMIT_CUES,
    ),
)
#: Turns of a dialogue that is written out within one message.
TURN = re.compile(r"^\W{0,3}(?:user|human|question|q|assistant|ai|bot|answer|a)\W{0,3}:", re.MULTILINE)
#: From so many turns on a written-out dialogue is a many-shot attack, where the request is harmful (Anil et al. 2024).
MANY_TURNS = 8


def fired(text: str) -> tuple[str, ...]:
    """Return the names of the rules that hold of a plain text."""
    return tuple(rule.name for rule in RULES if rule.holds(text))


def dialogue_turns(text: str) -> int:
    """Return how many turns of a dialogue a plain text writes out."""
    return sum(1 for _ in TURN.finditer(text))
