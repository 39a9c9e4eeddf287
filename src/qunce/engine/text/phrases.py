"""Find phrases in disguise: words, words with wildcards, and combinations A + B.

All words of all phrases stand in three automata, one a view: as stripped (with their split and reversed forms), by
sound and by shape. So the cost of a message does not depend on how many phrases there are, nor on how many disguises.

What a short word may be disguised as is limited, because every disguise makes ordinary text look like it: by sound and by shape
only words of three Chinese characters or more, reversed of four or more (docs/algorithms/moderation.md has the figures).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice, product
from typing import Final, NamedTuple

import msgspec

from qunce.engine.text.automaton import finder
from qunce.engine.text.shapes import shape_table, splits
from qunce.engine.text.tables import FIRST_TOKEN, is_everyday, sounds, strip_table
from qunce.engine.text.views import Views, to_sound

ALL_VIEWS: Final = frozenset({"sound", "shape", "split", "reverse"})
MIN_HAN_SOUND: Final = 3
MIN_HAN_SHAPE: Final = 3
MIN_HAN_REVERSE: Final = 4
MAX_READINGS: Final = 8
"""Most ways in which the readings of one word are combined."""
MAX_MATCHES: Final = 500
"""Matches of one view that are looked into; a text with more of them is found anyway."""
MAX_GAP: Final = 6
"""Characters a `*` may stand for."""
SENTENCE_END: Final = re.compile(r"[。！？；，、\n]")

_SHORT_LATIN: Final = re.compile(r"[a-z]{1,4}")
_RUNS: Final = re.compile(r"(.)\1*", re.DOTALL)


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """Something to look for. One group of words = any of them; several = one of each, near to each other."""

    source: str
    """Whose it is: a lexicon, a concept, a rule."""
    what: str
    """How it is called in evidence."""
    groups: tuple[tuple[str, ...], ...]
    weight: float = 1.0
    severity: int = 3
    ordered: bool = False
    """True = the groups must follow one another, each after a gap of `gaps`."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Least and most characters between group n and n + 1; only with `ordered`."""
    within: int = 30
    """Longest stretch that holds all groups; only without `ordered`."""
    views: frozenset[str] = ALL_VIEWS
    rescue: bool = False
    """True = an allow word: what lies inside it is not found for its source."""


class Hit(NamedTuple):
    """A phrase that was found; the places are those of its words, in the coordinates of their view."""

    phrase: Phrase
    view: str
    places: tuple[tuple[int, int], ...]
    label: str


class _Use(NamedTuple):
    """What finding a pattern means."""

    phrase: int
    group: int
    label: str
    word: str
    """Stripped form of the word behind the pattern."""


class _Found(NamedTuple):
    start: int
    end: int
    use: _Use
    view: str


def wildcard(text: str) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[int, int], ...]]:
    """Return the groups and gaps of a term such as `加*微信`: `*` up to six characters, `?` exactly one."""
    pieces = re.split(r"([*?]+)", text)
    words = tuple((piece,) for piece in pieces[::2])
    gaps = tuple((gap.count("?"), gap.count("?") + (MAX_GAP if "*" in gap else 0)) for gap in pieces[1::2])
    return words, gaps


class Scanner:
    """All phrases of a playbook, ready to be found."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self.phrases = tuple(phrases)
        plain: dict[str, list[_Use]] = {}
        sound: dict[str, list[_Use]] = {}
        shape: dict[str, list[_Use]] = {}
        for index, phrase in enumerate(self.phrases):
            for group, words in enumerate(phrase.groups):
                for word in words:
                    _add_word(word, index, group, phrase, plain, sound, shape)
        self._plain_uses = tuple(map(tuple, plain.values()))
        self._sound_uses = tuple(map(tuple, sound.values()))
        self._shape_uses = tuple(map(tuple, shape.values()))
        self._find_plain = finder(list(plain))
        self._find_sound = finder(list(sound))
        self._find_shape = finder(list(shape))

    def scan(self, views: Views) -> tuple[Hit, ...]:
        """Return what is found in a text, at most one hit for each phrase and view, in order of phrases."""
        known = views.memo.get(self)
        if isinstance(known, tuple):
            return known
        hits = views.memo[self] = tuple(self._scan(views))
        return hits

    def _scan(self, views: Views) -> list[Hit]:
        stripped = views.stripped
        squeezed = views.squeezed
        plain = self._find_plain(stripped)
        repeat = self._find_plain(squeezed) if squeezed is not stripped else ()
        sound = self._find_sound(views.sound)
        sound_repeat = self._find_sound(views.sound_squeezed) if squeezed is not stripped else ()
        shape = self._find_shape(views.shape)
        if not (plain or repeat or sound or sound_repeat or shape):
            return []
        return self._weigh(views, plain, repeat, sound, sound_repeat, shape)

    def _weigh(self, views: Views, *matches: Iterable[tuple[int, int, int]]) -> list[Hit]:
        plain, repeat, sound, sound_repeat, shape = matches
        found: list[_Found] = []
        for view, table, matched in (
            ("stripped", self._plain_uses, plain),
            ("squeezed", self._plain_uses, repeat),
            ("sound", self._sound_uses, sound),
            ("sound_squeezed", self._sound_uses, sound_repeat),
            ("shape", self._shape_uses, shape),
        ):
            for start, end, index in islice(matched, MAX_MATCHES):
                found += [_Found(start, end, use, view) for use in table[index]]
        return self._join(views, [item for item in found if _is_real(views, item, self.phrases[item.use.phrase])])

    def _join(self, views: Views, found: list[_Found]) -> list[Hit]:
        rescued = [(self.phrases[item.use.phrase].source, item) for item in found if self.phrases[item.use.phrase].rescue]
        by_phrase: dict[int, dict[str, list[_Found]]] = {}
        for item in found:
            phrase = self.phrases[item.use.phrase]
            if phrase.rescue or any(source == phrase.source and _inside(views, item, word) for source, word in rescued):
                continue
            by_phrase.setdefault(item.use.phrase, {}).setdefault(item.view, []).append(item)
        hits = []
        for index in sorted(by_phrase):
            hit = _first_hit(self.phrases[index], by_phrase[index])
            if hit is not None:
                hits.append(hit)
        return hits


def _add_word(
    word: str, index: int, group: int, phrase: Phrase,
    plain: dict[str, list[_Use]], sound: dict[str, list[_Use]], shape: dict[str, list[_Use]],
) -> None:  # fmt: skip
    stripped = word.translate(strip_table())
    if not stripped:
        return

    def use(table: dict[str, list[_Use]], pattern: str, label: str) -> None:
        uses = table.setdefault(pattern, [])
        if not any(known.phrase == index and known.group == group for known in uses):
            uses.append(_Use(index, group, label, stripped))

    use(plain, stripped, "plain")
    squeezed = _RUNS.sub(r"\1", stripped)
    if squeezed != stripped:
        use(plain, squeezed, "repeat")
    if phrase.rescue:
        return
    han = sum(char >= "\u3400" for char in stripped)
    if "split" in phrase.views:
        for pattern in split_forms(stripped):
            use(plain, pattern, "split")
    if "reverse" in phrase.views and han >= MIN_HAN_REVERSE:
        use(plain, stripped[::-1], "reverse")
    if "sound" in phrase.views and han >= MIN_HAN_SOUND:
        for pattern in sound_forms(stripped):
            use(sound, pattern, "sound")
        if len(squeezed) >= MIN_HAN_SOUND and squeezed != stripped:
            use(sound, to_sound(squeezed), "sound")
    if "shape" in phrase.views and han >= MIN_HAN_SHAPE:
        use(shape, stripped.translate(shape_table()), "shape")


def split_forms(word: str) -> list[str]:
    """Return the word with one character written as its parts, and with all of them.

    Parts that are words of everyday text (女子 for 好) count only where two more characters stand beside them.
    """
    table = splits()
    forms = [
        word[:position] + parts + word[position + 1 :]
        for position, char in enumerate(word)
        for parts in table.get(char, ())
        if len(word) > 2 or any(part in _RADICALS for part in parts)
    ]
    if len(word) > 2:
        forms.append("".join(table[char][0] if char in table else char for char in word))
    stripped = (form.translate(strip_table()) for form in forms)
    return [form for form in dict.fromkeys(stripped) if len(form) > len(word)]


_RADICALS: Final = frozenset("亻氵扌讠钅纟辶刂忄艹阝攵彳宀礻衤犭饣冂勹丬卩廴彡")
"""Parts that nobody writes on their own except to hide a character."""


def sound_forms(word: str) -> list[str]:
    """Return a stripped word as syllable tokens, in its usual reading and in others that its characters have."""
    table = sounds()
    choices = []
    for char in word:
        usual = table.usual.get(ord(char), char)
        choices.append([usual, *sorted(table.others.get(char, set()) - {usual})])
    forms = ("".join(choice) for choice in islice(product(*choices), MAX_READINGS))
    return list(dict.fromkeys([to_sound(word), *forms]))


def _is_real(views: Views, item: _Found, phrase: Phrase) -> bool:
    word = item.use.word
    if item.view == "squeezed":
        return _runs_suffice(views, item, word)
    if item.view == "stripped":
        if item.use.label == "repeat":
            return False
        if phrase.ordered:  # the parts of a wildcard stand where they like
            return True
        if word.isascii() and _SHORT_LATIN.fullmatch(word):
            return _stands_alone(views.stripped, item.start, item.end)
        return len(word) > 2 or item.use.label != "plain" or not _crosses_sentence(views, item)
    return not _crosses_sentence(views, item) and not (item.use.label == "sound" and _sounds_by_accident(views, item))


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isascii() and before.isalpha()) and not (after.isascii() and after.isalpha())


def _crosses_sentence(views: Views, item: _Found) -> bool:
    start, end = views.written(item.view, item.start, item.end)
    return end - start > item.end - item.start and SENTENCE_END.search(views.text, start, end) is not None


def _sounds_by_accident(views: Views, item: _Found) -> bool:
    """Tell whether a short word is spoken by three everyday characters none of which is its own: 不失食材 is no 时时彩.

    Who hides a word leaves a character of it, writes letters, or takes characters that nobody uses otherwise.
    """
    word = item.use.word
    if len(word) > MIN_HAN_SOUND:
        return False
    start, end = views.written(item.view, item.start, item.end)
    written = views.text[start:end].translate(strip_table())
    return len(written) == len(word) and not set(written) & set(word) and all(map(is_everyday, written))


def _runs_suffice(views: Views, item: _Found, word: str) -> bool:
    """Tell whether a squeezed match has at least as many equal characters in a row as the word itself: 时彩 is not 时时彩."""
    if item.use.label in ("split", "reverse"):
        return False
    needed = [len(match[0]) for match in _RUNS.finditer(word)]
    there = views.runs[item.start : item.end]
    return all(has >= needs for has, needs in zip(there, needed, strict=False))


def _inside(views: Views, item: _Found, word: _Found) -> bool:
    """Tell whether a match lies inside an allow word, and is shorter than it."""
    if item.view == word.view:
        return word.start <= item.start and item.end <= word.end and item.end - item.start < word.end - word.start
    start, end = views.written(item.view, item.start, item.end)
    outer_start, outer_end = views.written(word.view, word.start, word.end)
    return outer_start <= start and end <= outer_end


def _first_hit(phrase: Phrase, by_view: dict[str, list[_Found]]) -> Hit | None:
    for view in ("stripped", "squeezed", "sound", "sound_squeezed", "shape"):
        found = by_view.get(view)
        if not found:
            continue
        places = _place_groups(phrase, found)
        if places is not None:
            label = found[0].use.label if len(phrase.groups) == 1 else "plain"
            if view == "squeezed":
                label = "repeat"
            elif view != "stripped":
                label = view.removesuffix("_squeezed")
            return Hit(phrase, view, places, label)
    return None


def _place_groups(phrase: Phrase, found: list[_Found]) -> tuple[tuple[int, int], ...] | None:
    if len(phrase.groups) == 1:
        return ((found[0].start, found[0].end),)
    by_group: list[list[tuple[int, int]]] = [[] for _ in phrase.groups]
    for item in found:
        by_group[item.use.group].append((item.start, item.end))
    if not all(by_group):
        return None
    return _chain(phrase, by_group) if phrase.ordered else _nearest(phrase, by_group)


def _chain(phrase: Phrase, by_group: list[list[tuple[int, int]]]) -> tuple[tuple[int, int], ...] | None:
    """Return places that follow one another with the gaps of the phrase. Each end is tried once, so the work is bounded."""
    ways: dict[int, tuple[tuple[int, int], ...]] = {end: ((start, end),) for start, end in by_group[0]}
    for places, (least, most) in zip(by_group[1:], phrase.gaps, strict=True):
        following: dict[int, tuple[tuple[int, int], ...]] = {}
        for start, end in places:
            for gap in range(least, most + 1):
                if start - gap in ways:
                    following.setdefault(end, (*ways[start - gap], (start, end)))
                    break
        ways = following
    return next(iter(ways.values()), None)


MAX_TRIED: Final = 50


def _nearest(phrase: Phrase, by_group: list[list[tuple[int, int]]]) -> tuple[tuple[int, int], ...] | None:
    """Return places of one word of each group within a short stretch, none of them lying in another."""
    for anchor in by_group[0][:MAX_TRIED]:
        chosen = [anchor]
        low, high = anchor
        for places in by_group[1:]:
            fitting = [
                place
                for place in places[:MAX_TRIED]
                if max(high, place[1]) - min(low, place[0]) <= phrase.within and all(_apart(place, other) for other in chosen)
            ]
            if not fitting:
                break
            best = min(fitting, key=lambda place: (max(high, place[1]) - min(low, place[0]), place))
            chosen.append(best)
            low, high = min(low, best[0]), max(high, best[1])
        else:
            return tuple(sorted(chosen))
    return None


def _apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def has_sound(char: str) -> bool:
    """Tell whether a character of a sound view is a syllable."""
    return ord(char) >= FIRST_TOKEN
