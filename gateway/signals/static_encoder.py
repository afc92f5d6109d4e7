"""The built-in encoder for a twentieth of a millisecond: a vector for each token, averaged."""

from __future__ import annotations

import hashlib
import io
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from gateway.signals.encoder import verified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

VECTORS_SHA256 = "877b2d230435ddab82e52ae2b3ea53bcad04ec93724c70a8150a631db371e9f3"
TOKENIZER_SHA256 = "00550fd9a41633f56f54480a77be0e356a18c93ae1f70f9ebd7fb0eae99cf596"
FORMAT, WIDTH = 1, 256
#: Of a longer text, half of this from its beginning and half from its end: a question often comes last.
MAX_CHARACTERS = 4096
#: The token of what is not in the vocabulary.
UNKNOWN = 100
#: What the tokeniser separates an ASCII text into, once it is in lower case, before it looks anything up.
_WORD = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
#: Where it does more than that: it takes control characters out, and names of special tokens for these. (Searched for
#: apart, because a class of characters alone is searched for in 3 us, and with anything else in 9.)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPECIAL = re.compile(r"\[(?:PAD|UNK|CLS|SEP|MASK)\]")
#: No word reaches over these, whatever it is made of.
_PARTS = re.compile(r"[^ \t\n\r]+")
#: Words in several pieces that are remembered; of more in a text all are split at once.
KEPT_WORDS, MOST_REMEMBERED = 16_384, 64
#: Longer words have no tokens.
LONGEST_WORD = 100
#: Bytes for each character up to which a text is as good as ASCII.
QUICK_BYTES = 1.25


class StaticEncoder:
    """Vectors of tokens, distilled from all-MiniLM-L6-v2 and averaged: word order does not count.

    What is not in the vocabulary is left out; a text without anything else has the vector of an unknown token.
    `folder` holds `vectors.npz`, `tokenizer` is a file, that of `minilm` unless it is given. Raises `EncoderError`
    where a file is missing, or is not the one that this version was made with.
    """

    name = "static"
    dimension = WIDTH
    max_tokens = 1024
    digest = hashlib.sha256(f"{VECTORS_SHA256} {TOKENIZER_SHA256} {MAX_CHARACTERS} {max_tokens}".encode()).hexdigest()

    def __init__(self, *, folder: Traversable | None = None, tokenizer: Traversable | None = None) -> None:
        tokenizer = tokenizer or files("gateway.signals.minilm") / "tokenizer.json"
        self._tokenizer = Tokenizer.from_str(verified(tokenizer, TOKENIZER_SHA256).decode())
        self._tokenizer.no_truncation()
        # What the tokeniser does in 1.5 us for each token (400 for a text of 1 KB) is, for nearly all words, one
        # look-up (40 us); of those that are no token, a few for each piece (4 us for 16 digits, and not 12).
        vocabulary = self._tokenizer.get_vocab()
        self._words = {word: token for word, token in vocabulary.items() if _WORD.fullmatch(word)}
        self._ends = {
            piece[2:]: token for piece, token in vocabulary.items() if piece[:2] == "##" and _WORD.fullmatch(piece[2:])
        }
        self._longest: dict[str, int] = {}
        for piece in (*self._words, *self._ends):
            self._longest[piece[:2]] = max(len(piece), self._longest.get(piece[:2], 0))
        self._pieces = lru_cache(KEPT_WORDS)(self._pieces_of)
        content = verified((folder or files("gateway.signals.static")) / "vectors.npz", VECTORS_SHA256)
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            self._vectors: NDArray[np.int8] = stored["vectors"]
            self._scales: NDArray[np.float32] = stored["scales"]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors `[n, 256]`, a row a text."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._mean(self._tokens(text))
        return vectors

    def read(self, text: str) -> str:
        """Return as much of a text as is read: both its ends, without what UTF-8 cannot express."""
        return _ends(text)

    def is_quick(self, text: str) -> bool:
        """Tell whether a text is encoded sooner than it is handed over to another thread."""
        read = self.read(text)
        return read.isascii() or len(read.encode()) <= QUICK_BYTES * len(read)

    def _tokens(self, text: str) -> Sequence[int]:
        """Return the tokens of what is read of a text, in any order."""
        read = self.read(text)
        odd = _CONTROL.search(read) or ("[" in read and _SPECIAL.search(read))
        tokens: Sequence[int] | None = None if odd else self._looked_up(read)
        if tokens is None or len(tokens) > self.max_tokens:
            tokens = self._split(read)
        if len(tokens) > self.max_tokens:
            half = self.max_tokens // 2
            tokens = [*tokens[:half], *tokens[-half:]]
        return tokens or (UNKNOWN,)

    def _looked_up(self, text: str) -> list[int] | None:
        """Return the tokens of a text without oddities, those of whole words first; None where few of them are."""
        strange = ""
        if not text.isascii():
            parts = _PARTS.findall(text)
            strange = " ".join([part for part in parts if not part.isascii()])
            text = " ".join([part for part in parts if part.isascii()])
        words = _WORD.findall(text.lower())
        found = list(map(self._words.get, words))
        tokens = [token for token in found if token is not None]
        if 2 * len(tokens) < len(words):
            return None
        if len(tokens) < len(words):
            tokens += self._in_pieces([word for word, token in zip(words, found, strict=True) if token is None])
        return [*tokens, *self._split(strange)] if strange else tokens

    def _in_pieces(self, words: Sequence[str]) -> Sequence[int]:
        """Return the tokens of words that are none themselves."""
        short = [word for word in words if len(word) <= LONGEST_WORD]
        if len(short) > MOST_REMEMBERED:
            return self._split(" ".join(short))
        return [token for word in short for token in self._pieces(word)]

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        """Return the tokens of a word that is none: its longest beginning that is one, and so on; none if that fails.

        It is what the tokeniser does (WordPiece), for a word of ASCII letters and digits.
        """
        tokens, known, start, length = [], self._words, 0, len(word)
        while start < length:
            end = min(length, start + self._longest.get(word[start : start + 2], 1))
            while (token := known.get(word[start:end])) is None:
                end -= 1
                if end == start:
                    return ()
            tokens.append(token)
            start, known = end, self._ends
        return tuple(tokens)

    def _split(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text in their order, as the tokeniser says, without what is unknown."""
        return tuple(
            [token for token in self._tokenizer.encode(text, add_special_tokens=False).ids if token != UNKNOWN]
        )

    def _mean(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Return the direction of the tokens' mean, which is that of their sum."""
        rows = np.array(tokens, np.intp)
        total = np.dot(self._scales.take(rows), self._vectors.take(rows, axis=0).astype(np.float32))
        return np.asarray(total / np.sqrt(np.dot(total, total)), np.float32)


def _ends(text: str) -> str:
    """Return as much of a text as is read, without what UTF-8 cannot express."""
    if len(text) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        text = f"{text[:half]} {text[-half:]}"
    return text.encode(errors="ignore").decode()
