"""Words that say nothing of what a question asks for, and words that decide it: English, and some others' denials."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words that may come or go. What asks, denies, counts, places or points is not among them.
IDLE: Final = _words(
    "a an the this that these those is are am be been being do does it what which there here of "
    "please pls kindly thanks thank just really actually exactly"
)
#: Words that, where they come first, make a question of what would be a statement.
WHETHER: Final = _words("is are am do does has have was were did")
#: Words that deny; `n't` is found by its ending.
DENIALS: Final = _words(
    "not no never none nobody nothing nowhere neither nor without cannot cant wont dont doesnt didnt isnt arent wasnt "
    "werent shouldnt couldnt wouldnt hasnt havent hadnt aint hardly barely unable lack lacks lacking fail fails failed "
    "nicht kein keine keinen keinem keiner keines nie niemals nichts ohne "
    "ne pas jamais rien aucun aucune sans sin nunca ninguno ninguna nada tampoco "
    "non mai senza nessuno nessuna niente nulla não nao nem sem nenhum nenhuma niet geen nooit zonder"
)
#: Numbers, dates and times that are written as words.
QUANTITIES: Final = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
    "billion trillion half third quarter double triple twice thrice once single dozen couple several few many much "
    "first second fourth fifth sixth seventh eighth ninth tenth last next previous current currently latest former "
    "monday tuesday wednesday thursday friday saturday sunday weekday weekend "
    "january february march april june july august september october november december "
    "spring summer autumn winter today tomorrow yesterday tonight now later ago already yet still soon recently lately "
    "morning noon afternoon evening night midnight am pm hourly daily weekly monthly yearly annual "
    "hour hours minute minutes seconds day days week weeks month months year years decade century"
)
#: Words that stand against another one, or say which of several things is asked for.
CONTRASTS: Final = _words(
    "before after more less fewer most least min max minimum maximum high low higher lower highest lowest "
    "increase increases increased decrease decreases decreased reduce raise rise grow shrink open close opened closed "
    "start stop begin end enable disable enabled disabled add remove delete insert create destroy drop "
    "allow deny allowed forbidden permit prohibit accept reject approve buy sell lend borrow send receive "
    "push pull lock unlock block unblock freeze unfreeze off up down out into onto from under over above "
    "below left right north south east west front back inside outside true false include exclude including excluding "
    "except best worst better worse good bad pros cons advantages disadvantages benefits drawbacks strengths "
    "weaknesses safe unsafe dangerous legal illegal old new young older newer big small large bigger smaller larger "
    "short long shorter longer fast slow faster slower cheap expensive early late earlier hot cold warm cool hard easy "
    "male female man woman men women boy girl mother father he him his she her hers they them their we us our your "
    "always sometimes often rarely all only every each both either other another same different else too also "
    "if or but can may must should was were did had will when where why who whose whom how "
    "import export input output read write upload download encode decode encrypt decrypt serialize deserialize "
    "compress decompress ascending descending public private internal external local remote synchronous asynchronous "
    "sync async client server parent child positive negative absolute relative horizontal vertical"
)
