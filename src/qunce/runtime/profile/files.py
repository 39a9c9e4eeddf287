"""Take attributes, tags and keys of members from a table: tried first, applied as one batch, undone as one.

Rows are read in chunks, so a file of a million rows needs little memory beside the ids of the members it names. A row with a
mistake is left out as a whole and told with its mend; nothing at all is stored by a trial.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

from django.conf import settings
from django.db import connection
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from qunce.accounts import audit
from qunce.accounts.digests import digest_key
from qunce.accounts.models import Staff
from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import ImportRefused as ImportRefused
from qunce.connectors.files.packing import MAGIC_ZIP
from qunce.connectors.files.source import open_source
from qunce.connectors.files.tables import Table, plain
from qunce.domain.events import AttributeSet, Event, IdentityKeyed, Party, Source, TagPut
from qunce.domain.identity_keys import KEY_KINDS
from qunce.domain.keys import native_key
from qunce.playbook.values import BadValue, Value, read_value
from qunce.readmodels.models import Identity, Membership
from qunce.readmodels.rows import Database
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.ingest import Ingest, batches
from qunce.runtime.profile import contacts, making
from qunce.runtime.profile.changing import open_batch, take
from qunce.runtime.profile.vocabulary import Vocabulary, in_force
from qunce.runtime.profile.words import accounts_of_members

JOB_KIND: Final = "profile_import"
CHUNK: Final = 1_000
MOST_COLUMNS: Final = 100
MOST_SHOWN: Final = 200
"""Mistakes that are told one by one; the others are counted."""
SAMPLE: Final = 5
IDS: Final = ("member_id", "account", *KEY_KINDS)
"""What a row can be found by: our own id, the id on a platform, a key that is shared over platforms."""
_SPLIT: Final = re.compile(r"[;；,，、|]+")
_FORMULA: Final = re.compile(r"[=@＝＠]|[+＋-](?!\s*\d)")
_GUESSES: Final = {
    "member_id": ("member_id", "成员编号"), "unionid": ("unionid",), "email": ("邮箱", "email", "电子邮箱"),
    "account": ("账号", "平台账号", "platform_id", "user_id", "用户id", "成员id", "微信号", "qq", "qq号"),
    "phone": ("手机", "手机号", "电话", "mobile", "phone", "手机号码"),
    "external_userid": ("external_userid", "外部联系人id"), "crm": ("crm", "客户编号", "会员号"), **contacts.GUESSES,
}  # fmt: skip
Beat = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A row that cannot be used."""

    row: int
    code: str
    text: str
    fix: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What a file held. `changes` counts attributes, tags and keys that would be, or were, set."""

    rows: int = 0
    good: int = 0
    bad: int = 0
    members: int = 0
    changes: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    by_code: dict[str, int] = field(default_factory=dict)

    def note(self, mistake: Mistake) -> None:
        """Count a mistake, and keep it while there are few."""
        self.bad += 1
        self.by_code[mistake.code] = self.by_code.get(mistake.code, 0) + 1
        if len(self.mistakes) < MOST_SHOWN:
            self.mistakes.append(mistake)


Row = tuple[int, tuple[str, ...]]
"""Number of the row in the file, from 1, and its cells."""


def read_table(path: Path) -> Iterator[Row | Rejected]:
    """Yield the header and the rows of a CSV or XLSX file, blank ones left out. Raises ImportRefused for anything else."""
    with path.open("rb") as file:
        packed = file.read(4) in MAGIC_ZIP
    yield from _xlsx(path) if packed else _csv(path)


def _csv(path: Path) -> Iterator[Row | Rejected]:
    with open_source(path) as source:
        table = Table(source.lines())
        yield 1, table.header[:MOST_COLUMNS]
        for record in table.records():
            if isinstance(record, Rejected):
                yield record
            elif any(cell.strip() for cell in record[1]):
                yield record[0], tuple(cell.strip() for cell in record[1][:MOST_COLUMNS])
        yield from source.rejected


def _xlsx(path: Path) -> Iterator[Row]:
    try:
        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except (InvalidFileException, BadZipFile, KeyError, ValueError, OSError) as error:
        raise ImportRefused("This is no XLSX file.", "Save the table as XLSX or CSV, and upload that.") from error
    with closing(book):
        for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            row = tuple(_cell(cell) for cell in cells[:MOST_COLUMNS])
            if any(row):
                yield number, row


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    isoformat = getattr(cell, "isoformat", None)
    return str(isoformat())[:10] if isoformat else str(cell).strip()


def look(path: Path) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[str, ...]]:
    """Return the columns of a file, some rows, and what each column probably is. Raises ImportRefused for no table."""
    rows = [row[1] for row, _number in zip(read_table(path), range(SAMPLE + 1), strict=False) if not isinstance(row, Rejected)]
    if not rows:
        raise ImportRefused("The file is empty.", "Put the names of the columns into the first row.")
    words = in_force()
    known = {plain(name): target for target, names in _GUESSES.items() for name in names}
    for attribute in words.attributes.values():
        for name in (attribute.title, attribute.title_en, attribute.attribute_id):
            known.setdefault(plain(name), f"attr:{attribute.attribute_id}")
    known |= {"标签": "tags", "tags": "tags", "tag": "tags"}
    targets: list[str] = []
    for name in rows[0]:
        target = known.get(plain(name), "")
        targets.append(target if target not in targets else "")
    return rows[0], rows[1:], tuple(targets)


def check_mapping(targets: Sequence[str]) -> None:
    """Raise CommandRefused unless a row can be found, and says something, and no target stands twice."""
    words, used = in_force(), [target for target in targets if target]
    for target in used:
        name = target.removeprefix("attr:")
        known = target in IDS or target in contacts.TARGETS or target == "tags"
        if not known and not (target.startswith("attr:") and name in words.attributes):
            raise CommandRefused(f"unknown column {target!r}")
        if used.count(target) > 1:
            raise CommandRefused(f"two columns for {target!r}; keep one")
    if not set(used) & set(IDS):
        raise CommandRefused("no column says who it is; choose one for the account, the phone or another key")
    if "contact_time" in used and "contact" not in used:
        raise CommandRefused("a time of adding says nothing alone; choose the column that says whether, or by whom, too")
    if len(used) < 2:
        raise CommandRefused("the file says nothing about anybody; choose a column for an attribute, tags or a key")


def start(*, actor: Staff, path: Path, targets: Sequence[str], dry_run: bool) -> int:
    """Queue a trial or an import; return the job's id. Raises CommandRefused for columns that make no sense."""
    check_mapping(targets)
    params = {"path": str(path), "name": path.name, "targets": list(targets), "dry_run": dry_run, "actor": actor.pk}
    job_id = jobs.enqueue(JOB_KIND, params, actor_id=actor.pk)
    if not dry_run:
        audit.record(
            actor=actor, action="profile.import", target_type="job", target_id=job_id, after={"columns": list(targets)}
        )
    jobs.wake()
    return job_id


def perform(params: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do a job. A job that died goes on with the same batch: what it stored already is not stored again."""
    started, path = time.monotonic(), Path(params["path"])
    actor = Staff.objects.filter(pk=params["actor"]).first()
    batch_id = f"import{params['path'].split('/')[-2][:12]}"
    report = apply(path, params["targets"], actor=actor, batch_id=batch_id, dry_run=params["dry_run"], beat=beat)
    if not params["dry_run"] and path.is_relative_to(Path(settings.DATA_DIR) / "uploads"):
        path.unlink(missing_ok=True)
    return {
        "rows": report.rows, "good": report.good, "bad": report.bad, "members": report.members, "changes": report.changes,
        "by_code": report.by_code, "batch": "" if params["dry_run"] else batch_id,
        "mistakes": [[m.row, m.code, m.text, m.fix] for m in report.mistakes],
        "seconds": round(time.monotonic() - started, 2),
    }  # fmt: skip


def apply(
    path: Path, targets: Sequence[str], *, actor: Staff | None, batch_id: str, dry_run: bool, beat: Beat = lambda progress: None
) -> Report:
    """Read a file and, unless `dry_run`, store what is good of it. Raises ImportRefused for a file that is no table."""
    report, words, moment, seen = Report(), in_force(), now_ms(), set[int]()
    ingest = Ingest()
    if not dry_run:
        open_batch(batch_id, "import", actor, {"what": path.name[:80], "members": 0}, moment)
    rows = iter(read_table(path))
    next(rows, None)
    for chunk in batches(rows, CHUNK):
        events = list(_chunk(chunk, targets, words, report, seen, _Making(batch_id, moment, actor)))
        report.changes += len(events)
        if not dry_run:
            take(batch_id, events, ingest)
        beat({"done": report.rows})
    report.members = len(seen)
    return report


@dataclass(frozen=True, slots=True)
class _Making:
    batch_id: str
    moment: int
    actor: Staff | None


def _chunk(
    chunk: Iterable[Row | Rejected], targets: Sequence[str], words: Vocabulary, report: Report, seen: set[int], how: _Making
) -> Iterator[Event]:
    good: list[tuple[int, dict[str, str]]] = []
    for row in chunk:
        report.rows += 1
        if isinstance(row, Rejected):
            number = int(re.sub(r"\D", "", row.where) or 0)
            report.note(Mistake(row=number, code=row.code, text=row.reason, fix=row.fix))
        else:
            good.append((row[0], {t: cell for t, cell in zip(targets, row[1], strict=False) if t and cell}))
    found = _find(good)
    people = accounts_of_members({member for member in found.values() if isinstance(member, int)})
    told: dict[int, contacts.Told] = {}
    for number, cells in good:
        member = found[number]
        if not isinstance(member, int):
            report.note(member)
        elif member in seen:
            mend = "keep one row for each member"
            report.note(Mistake(row=number, code="twice", text="a row above is about the same member", fix=mend))
        else:
            values, said = _values(number, cells, words), _contact(number, cells, how.moment)
            if isinstance(values, Mistake):
                report.note(values)
            elif isinstance(said, Mistake):
                report.note(said)
            else:
                if said is not None:
                    told[member] = said
                seen.add(member)
                report.good += 1
                yield from _events(values, cells, people[member], how)
    if told:
        yield from contacts.events(told, people, how.batch_id, how.moment)


def _contact(number: int, cells: Mapping[str, str], moment: int) -> contacts.Told | Mistake | None:
    try:
        return contacts.read(cells, moment)
    except contacts.BadContact as bad:
        return Mistake(row=number, code="contact", text=bad.text, fix=bad.fix)


def _find(rows: list[tuple[int, dict[str, str]]]) -> dict[int, int | Mistake]:
    """Return the member of each row, or why there is none. Two queries for each kind of id, and one for buyers.

    A row that names an account, with a key that only buyers carry whom no chat knows, is about the account: storing the key
    links them, as it would had the table come before the orders.
    """
    found: dict[int, set[int]] = {number: set() for number, _cells in rows}
    named: dict[int, set[int]] = {number: set() for number, _cells in rows}
    bad: dict[int, Mistake] = {}
    for kind in IDS:
        wanted = {number: cells[kind] for number, cells in rows if kind in cells}
        if not wanted:
            continue
        owners = _owners(kind, set(wanted.values()))
        for number, text in wanted.items():
            members = owners.get(text, set())
            if len(members) > 1:
                mend = "add a column with the account, or merge the accounts"
                bad[number] = Mistake(row=number, code="ambiguous", text=f"several members have this {kind}", fix=mend)
            found[number] |= members
            if kind not in KEY_KINDS:
                named[number] |= members
    keyed = {number: found[number] - named[number] for number in found if len(found[number]) > 1 and len(named[number]) == 1}
    in_chats = _in_chats({member for members in keyed.values() for member in members})
    found.update((number, named[number]) for number, members in keyed.items() if members.isdisjoint(in_chats))
    result: dict[int, int | Mistake] = {}
    for number, _cells in rows:
        members = found[number]
        if number in bad:
            result[number] = bad[number]
        elif not members:
            mend = "correct it, or import the chat or the orders this member comes from first"
            result[number] = Mistake(row=number, code="unknown", text="no member has this id or key", fix=mend)
        elif len(members) > 1:
            mend = "correct the row, or merge the accounts"
            result[number] = Mistake(row=number, code="contradiction", text="its ids are of different members", fix=mend)
        else:
            result[number] = members.pop()
    return result


def _in_chats(members: Collection[int]) -> frozenset[int]:
    """Return those of the members who are, or were, in any group."""
    if not members:
        return frozenset()
    rows = Membership.objects.filter(identity__member_id__in=members).values_list("identity__member_id", flat=True)
    return frozenset(rows.distinct())


def _owners(kind: str, texts: set[str]) -> Mapping[str, set[int]]:
    owners: dict[str, set[int]] = {}
    if kind == "member_id":
        numbers = [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]
        for pk in Identity.objects.filter(member_id__in=numbers).values_list("member_id", flat=True):
            owners[str(pk)] = {pk}
    elif kind == "account":
        rows = Identity.objects.filter(platform_id__in=texts).values_list("platform_id", "member_id")
        for platform_id, member in rows:
            owners.setdefault(platform_id, set()).add(member)
    else:
        digests = {digest: text for text in texts if (digest := digest_key(kind, text)) is not None}
        database = Database(connection)
        test, params = database.in_list("k.digest", sorted(digests))
        sql = (
            "SELECT DISTINCT k.digest, i.member_id FROM identity_key k JOIN identity i ON i.id = k.identity_id "
            f"WHERE k.key = ? AND {test}"
        )
        spelled: dict[str, list[str]] = {}
        for text in texts:
            spelled.setdefault(digest_key(kind, text) or "", []).append(text)
        for digest, member in database.query(sql, [kind, *params]):
            for text in spelled[digest]:
                owners.setdefault(text, set()).add(member)
    return owners


def _values(
    number: int, cells: Mapping[str, str], words: Vocabulary
) -> tuple[list[tuple[str, Value]], list[str], list[tuple[str, str]]] | Mistake:  # fmt: skip
    """Return attributes, tags and keys of a row, or the first mistake in it."""
    attributes: list[tuple[str, Value]] = []
    tags: list[str] = []
    keys: list[tuple[str, str]] = []
    for target, cell in cells.items():
        if target.startswith("attr:"):
            attribute = words.attributes[target.removeprefix("attr:")]
            if attribute.type == "text" and _FORMULA.match(cell):
                mend = "write the text without =, +, - or @ at its beginning"
                return Mistake(row=number, code="formula", text=f"{attribute.title}: it begins like a formula", fix=mend)
            try:
                attributes.append((attribute.attribute_id, read_value(attribute, cell)))
            except BadValue as bad:
                return Mistake(row=number, code="value", text=f"{attribute.title}: {bad.message}", fix=bad.fix)
        elif target == "tags":
            for tag in filter(None, (part.strip() for part in _SPLIT.split(cell))):
                if tag not in words.tags or words.tags[tag][0].target != "member":
                    mend = "use a tag of the playbook, or add it there"
                    return Mistake(row=number, code="tag", text=f"unknown tag {tag[:40]!r}", fix=mend)
                if words.rivals(tag) & set(tags):
                    mend = "keep one of them"
                    return Mistake(row=number, code="rivals", text=f"{tag!r} cannot stand beside another tag here", fix=mend)
                tags.append(tag)
        elif target in KEY_KINDS:
            digest = digest_key(target, cell)
            if digest is None:
                return Mistake(row=number, code="key", text=f"no {target}: {cell[:3]}…", fix="correct it, or leave it empty")
            keys.append((target, digest))
    return attributes, list(dict.fromkeys(tags)), keys


def _events(
    values: tuple[list[tuple[str, Value]], list[str], list[tuple[str, str]]], cells: Mapping[str, str],
    person: making.Account, how: _Making,
) -> Iterator[Event]:  # fmt: skip
    name = str(how.actor.pk) if how.actor else ""
    attributes, tags, keys = values
    for attribute_id, value in attributes:
        body = AttributeSet(attribute=attribute_id, value=value, kept="import", batch_id=how.batch_id, colleague=name)
        yield making.event(body, how.moment, how.batch_id, person=person)
    for tag in tags:
        put = TagPut(target="member", tag=tag, kept="import", batch_id=how.batch_id, colleague=name)
        yield making.event(put, how.moment, how.batch_id, person=person)
    if {"member_id", "account"} & cells.keys():
        # Only a row that says which account it is may give that account a key; a key alone is what the row was found by.
        for kind, digest in keys:
            yield Event(
                ts_ms=how.moment, source=Source(connector=person.connector, account=person.account, origin="import"),
                subject=Party(platform_id=person.platform_id), body=IdentityKeyed(key=kind, digest=digest),
                dedupe_key=native_key("keyed", person.platform_id, kind, digest),
            )  # fmt: skip
