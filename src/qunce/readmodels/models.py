"""Tables folded from the journal, for screens and analytics.

Every row here can be thrown away and folded again (`qunce rebuild`). Rows are written by `projector` with SQL, in batches, and
read by `selectors`. Times are milliseconds UTC; `day` is the number of the local day since 1970-01-01 in the organisation's
zone. Names are kept as last heard. References are not checked by the database: the fold is the only writer, `qunce rebuild`
is the check, and checking each row again would cost a third of the speed on PostgreSQL.
"""

from __future__ import annotations

from typing import Final

from django.db import models

PLAYED: Final = "practice"
"""Connector of rooms that exist here only: what is played in them is no figure of any group, day or member."""


class IdentityKind(models.TextChoices):
    MEMBER = "member"
    STAFF = "staff"
    BOT = "bot"
    HOUSE_PERSONA = "house_persona"
    SYSTEM = "system"
    UNKNOWN = "unknown"  # counted as a member until somebody says otherwise


class Community(models.Model):
    """社群: several groups under one plan. Made by the first `group.updated` that names it."""

    id = models.BigIntegerField(primary_key=True)
    name = models.TextField(unique=True)

    class Meta:
        db_table = "community"


class Group(models.Model):
    """群: one conversation. Direct chats and channels are rows too, told apart by `kind`."""

    id = models.BigIntegerField(primary_key=True)
    connector = models.TextField()
    account = models.TextField()
    platform_id = models.TextField()
    kind = models.TextField()
    """`group`, `direct` or `channel`."""
    name = models.TextField()
    notice = models.TextField(default="")
    community = models.ForeignKey(Community, models.DO_NOTHING, db_constraint=False, null=True)
    owner_id = models.BigIntegerField(null=True)
    """Identity of the group owner."""
    created_ms = models.BigIntegerField(null=True)
    dismissed_ms = models.BigIntegerField(null=True)
    first_ms = models.BigIntegerField(null=True)
    last_ms = models.BigIntegerField(null=True)
    """Newest event of the group."""
    last_message_ms = models.BigIntegerField(null=True)
    message_count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "chat_group"
        constraints = [models.UniqueConstraint(fields=["connector", "account", "platform_id"], name="chat_group_once")]


class Doings(models.Model):
    """What somebody did, in sums."""

    first_ms = models.BigIntegerField(null=True)
    last_ms = models.BigIntegerField(null=True)
    last_message_ms = models.BigIntegerField(null=True)
    message_count = models.BigIntegerField(default=0)
    order_count = models.BigIntegerField(default=0)
    """Paid orders, less those wholly refunded."""
    paid_minor = models.BigIntegerField(default=0)
    """Sum of paid orders less refunds, in the organisation's currency; other currencies are left out."""

    class Meta:
        abstract = True


class Member(Doings):
    """A person, across groups and platforms. Starts as one identity; identities may be merged into one member."""

    id = models.BigIntegerField(primary_key=True)
    """Id of the member's first identity."""
    name = models.TextField()
    kind = models.TextField(choices=IdentityKind)

    class Meta:
        db_table = "member"
        # No index on what every message changes: sorting 100,000 members for a page takes 40 ms, keeping them sorted a tenth of
        # every import, and PostgreSQL would have to write each row anew.


class Identity(models.Model):
    """One account on one platform."""

    id = models.BigIntegerField(primary_key=True)
    connector = models.TextField()
    account = models.TextField()
    platform_id = models.TextField()
    member = models.ForeignKey(Member, models.DO_NOTHING, db_constraint=False)
    kind = models.TextField(choices=IdentityKind)
    kind_flagged = models.BooleanField(default=False)
    """True once an operator said what kind this is; then reports of the platform no longer change it."""
    name = models.TextField()
    folded_name = models.TextField()
    """`domain.text.fold` of the name, for search by prefix."""
    linked = models.BooleanField(default=False)
    """True while a link of this account stands; what it did by itself is then kept in `AccountTotal`."""

    class Meta:
        db_table = "identity"
        constraints = [models.UniqueConstraint(fields=["connector", "account", "platform_id"], name="identity_once")]
        indexes = [models.Index(fields=["folded_name"], name="identity_name")]


class AccountTotal(Doings):
    """What one linked account did by itself, so that a person can be summed from accounts and taken apart again."""

    identity_id = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "account_total"


class IdentityLink(models.Model):
    """That two accounts belong to one person. Rows stay when a link is taken back, to tell what was."""

    seq = models.BigIntegerField(primary_key=True)
    """Journal position of the link."""
    link_id = models.TextField(unique=True)
    a_id = models.BigIntegerField()
    b_id = models.BigIntegerField()
    by = models.TextField()
    """`key`, `manual` or `suggestion`."""
    reason = models.TextField(default="")
    score = models.FloatField(default=1.0)
    evidence = models.TextField(default="")
    """Codes, joined by spaces."""
    ts_ms = models.BigIntegerField()
    undone_ms = models.BigIntegerField(null=True)
    """When it was taken back; None = it stands."""

    class Meta:
        db_table = "identity_link"
        indexes = [models.Index(fields=["a_id"], name="identity_link_a"), models.Index(fields=["b_id"], name="identity_link_b")]


class IdentityKey(models.Model):
    """A key that accounts of one person share: its kind and a keyed hash of its value."""

    seq = models.BigIntegerField(primary_key=True)
    """Journal position where it was learnt first."""
    identity_id = models.BigIntegerField()
    key = models.TextField()
    digest = models.TextField()

    class Meta:
        db_table = "identity_key"
        constraints = [models.UniqueConstraint(fields=["identity_id", "key", "digest"], name="identity_key_once")]
        indexes = [models.Index(fields=["digest", "key"], name="identity_key_digest")]


class Membership(models.Model):
    """An identity in a group. Exists from the first sign of it: a join, or a first message of somebody who was there before."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(Group, models.DO_NOTHING, db_constraint=False, db_index=False)
    identity = models.ForeignKey(Identity, models.DO_NOTHING, db_constraint=False)
    nickname = models.TextField(default="")
    role = models.TextField(default="member")
    """Platform role: `member`, `admin`, `owner`."""
    joined_ms = models.BigIntegerField(null=True)
    """Newest reported join; None = nobody told us."""
    left_ms = models.BigIntegerField(null=True)
    """Newest reported leave later than the newest join; None = is there as far as we know."""
    leave_reason = models.TextField(default="")
    scene = models.TextField(default="")
    channel_code = models.TextField(default="")
    inviter_id = models.BigIntegerField(null=True)
    muted_until_ms = models.BigIntegerField(null=True)
    first_ms = models.BigIntegerField()
    """First sign of the identity in the group."""
    first_message_ms = models.BigIntegerField(null=True)
    last_message_ms = models.BigIntegerField(null=True)
    message_count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "membership"
        constraints = [models.UniqueConstraint(fields=["group", "identity"], name="membership_once")]
        # Lists of groups count who is there now; without this index that reads every membership.
        indexes = [models.Index(fields=["group"], condition=models.Q(left_ms=None), name="membership_present")]


class Message(models.Model):
    """One message as it stands (edited, retracted). The primary key is its position in the journal."""

    seq = models.BigIntegerField(primary_key=True)
    group = models.ForeignKey(Group, models.DO_NOTHING, db_constraint=False, db_index=False)
    identity = models.ForeignKey(Identity, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    """None = a system line."""
    ts_ms = models.BigIntegerField()
    day = models.IntegerField()
    content = models.SmallIntegerField()
    """Code of `readmodels.contents.CONTENT_CODES`: text, image, …"""
    text = models.TextField()
    parts = models.TextField(default="")
    """JSON list of the parts beyond plain text; empty for plain text."""
    reply_to = models.BigIntegerField(null=True)
    """Message answered; None = none, or unknown to us."""
    is_question = models.BooleanField(default=False)
    edited_ms = models.BigIntegerField(null=True)
    deleted_ms = models.BigIntegerField(null=True)
    deleted_by = models.TextField(default="")
    reaction_count = models.IntegerField(default=0)

    class Meta:
        db_table = "message"
        indexes = [
            models.Index(fields=["group", "ts_ms", "seq"], name="message_in_group"),
            models.Index(fields=["identity", "ts_ms", "seq"], name="message_of_identity"),
        ]


class Reaction(models.Model):
    """A reaction that stands; taking it back removes the row."""

    seq = models.BigIntegerField(primary_key=True)
    message_seq = models.BigIntegerField()
    identity_id = models.BigIntegerField()
    emoji = models.TextField()
    ts_ms = models.BigIntegerField()
    day = models.IntegerField()

    class Meta:
        db_table = "reaction"
        constraints = [models.UniqueConstraint(fields=["message_seq", "identity_id", "emoji"], name="reaction_once")]


class Happening(models.Model):
    """What a member did or met besides speaking: joins, leaves, mutes, contacts, clicks, consent."""

    seq = models.BigIntegerField(primary_key=True)
    type = models.SmallIntegerField()
    """Code of `domain.events.TYPE_CODES`."""
    group = models.ForeignKey(Group, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    identity = models.ForeignKey(Identity, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    """Whom it is about."""
    actor_id = models.BigIntegerField(null=True)
    """Identity that did it, where that is somebody else."""
    ts_ms = models.BigIntegerField()
    day = models.IntegerField()
    detail = models.TextField(default="")
    """JSON of the event's own fields."""

    class Meta:
        db_table = "happening"
        indexes = [
            models.Index(fields=["identity", "ts_ms", "seq"], name="happening_of_identity"),
            models.Index(fields=["group", "ts_ms", "seq"], name="happening_in_group"),
        ]


class ContactMove(models.Model):
    """That an account became, or no longer is, a contact (好友) of an employee; the newest of both counts."""

    id = models.BigIntegerField(primary_key=True)
    """Twice the journal position; one more for who takes over."""
    identity_id = models.BigIntegerField()
    staff = models.TextField()
    """The employee as the platform or the list names them; empty = somebody."""
    state = models.TextField()
    """`added`, `pending`, `removed`, or `none` (taken back: it was never so)."""
    way = models.TextField(default="")
    """How they were added, or who ended it."""
    origin = models.TextField()
    """How we know: `callback`, `archive`, `import` …"""
    ts_ms = models.BigIntegerField()
    batch_id = models.TextField(default="")

    class Meta:
        db_table = "contact_move"
        indexes = [
            models.Index(fields=["identity_id", "staff", "ts_ms"], name="contact_move_newest"),
            models.Index(fields=["batch_id"], name="contact_move_batch", condition=~models.Q(batch_id="")),
        ]


class Order(models.Model):
    """An order as it stands. Keyed by (connector, account, order_id)."""

    id = models.BigIntegerField(primary_key=True)
    """Journal position of the order's first event."""
    connector = models.TextField()
    account = models.TextField()
    order_id = models.TextField()
    identity = models.ForeignKey(Identity, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    status = models.TextField()
    """`created`, `paid`, `refunded`, `closed`: the newest by time."""
    created_ms = models.BigIntegerField()
    paid_ms = models.BigIntegerField(null=True)
    day = models.IntegerField()
    """Local day of payment, else of creation."""
    amount_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    currency = models.TextField()
    items = models.TextField(default="")
    status_ms = models.BigIntegerField()

    class Meta:
        db_table = "purchase"
        constraints = [models.UniqueConstraint(fields=["connector", "account", "order_id"], name="purchase_once")]
        indexes = [
            models.Index(fields=["identity", "created_ms"], name="purchase_of_identity"),
            models.Index(fields=["day"], name="purchase_of_day"),
        ]


class Question(models.Model):
    """A member's question in a group, and the first answer of staff. Settled after ingest, since answers come later."""

    seq = models.BigIntegerField(primary_key=True)
    """The message that asks."""
    group = models.ForeignKey(Group, models.DO_NOTHING, db_constraint=False, db_index=False)
    identity = models.ForeignKey(Identity, models.DO_NOTHING, db_constraint=False, db_index=False)
    ts_ms = models.BigIntegerField()
    day = models.IntegerField()
    answer_seq = models.BigIntegerField(null=True)
    """First staff message that answers, or the `reply.given` of an answer from the desk; None = unanswered (so far)."""
    responder_id = models.BigIntegerField(null=True)
    """Identity that answered; None = nobody did, or a colleague from the desk."""
    response_s = models.IntegerField(null=True)
    staff = models.TextField(default="")
    """Login name of the colleague who answered from the desk; empty = nobody did, or in the group itself."""

    class Meta:
        db_table = "question"
        indexes = [
            models.Index(fields=["group", "ts_ms"], name="question_in_group"),
            models.Index(fields=["ts_ms"], condition=models.Q(answer_seq=None), name="question_open"),
        ]


class GroupChart(models.Model):
    """What colleagues set down about a group, one row for each field."""

    id = models.BigAutoField(primary_key=True)
    group_id = models.BigIntegerField()
    field = models.TextField()
    """`group_type`, `phase`, `charter` or `decision`."""
    value = models.TextField()
    """A code, or JSON for the charter."""
    reason = models.TextField()
    set_ms = models.BigIntegerField()

    class Meta:
        db_table = "group_chart"
        constraints = [models.UniqueConstraint(fields=["group_id", "field"], name="group_chart_once")]
        indexes = [models.Index(fields=["field", "value"], name="group_chart_value")]


class TierHolding(models.Model):
    """On which level of a scheme of tiers somebody is. Without a row: on the scheme's last level, or never sorted yet."""

    id = models.BigAutoField(primary_key=True)
    identity_id = models.BigIntegerField()
    """The member's first account, whose id is the member's."""
    scheme_id = models.TextField()
    level_id = models.TextField()
    since_ms = models.BigIntegerField()
    version = models.TextField()
    """Version of the playbook that decided."""

    class Meta:
        db_table = "tier_holding"
        constraints = [models.UniqueConstraint(fields=["identity_id", "scheme_id"], name="tier_holding_once")]
        indexes = [models.Index(fields=["scheme_id", "level_id", "identity_id"], name="tier_holding_level")]


class TierMove(models.Model):
    """One move between two levels of a scheme."""

    seq = models.BigIntegerField(primary_key=True)
    identity_id = models.BigIntegerField()
    scheme_id = models.TextField()
    old = models.TextField()
    """Empty = was not sorted before."""
    new = models.TextField()
    ts_ms = models.BigIntegerField()

    class Meta:
        db_table = "tier_move"
        indexes = [models.Index(fields=["scheme_id", "ts_ms", "seq"], name="tier_move_in_scheme")]


class Unsettled(models.Model):
    """A group whose questions must be paired with answers again, from this time on."""

    group_id = models.BigIntegerField(primary_key=True)
    from_ms = models.BigIntegerField()

    class Meta:
        db_table = "unsettled"


class GroupDay(models.Model):
    """One group on one local day: what list pages show without counting again."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(Group, models.DO_NOTHING, db_constraint=False, db_index=False)
    day = models.IntegerField()
    messages = models.IntegerField(default=0)
    joined = models.IntegerField(default=0)
    left = models.IntegerField(default=0)

    class Meta:
        db_table = "group_day"
        constraints = [models.UniqueConstraint(fields=["group", "day"], name="group_day_once")]
        indexes = [models.Index(fields=["day"], name="group_day_by_day")]


class TagHolding(models.Model):
    """A tag on a member, a membership or a group, by one who put it: several may put the same. Stays when it was taken away.

    Keyed by identity; a person has the tags of all its identities. Whether it has ended by itself is judged when it is read.
    """

    id = models.BigAutoField(primary_key=True)
    target = models.TextField()
    """`member`, `membership` or `group`."""
    identity_id = models.BigIntegerField()
    """0 = the tag is a group's."""
    group_id = models.BigIntegerField()
    """0 = the tag is a member's."""
    tag = models.TextField()
    kept = models.TextField()
    """Who put it: a `domain.events.Kept`."""
    rule_id = models.TextField(default="")
    version = models.TextField(default="")
    reason = models.TextField(default="")
    confidence = models.FloatField(default=1.0)
    evidence = models.TextField(default="")
    """JSON list of journal positions; empty = none."""
    put_ms = models.BigIntegerField(null=True)
    """None = never put: only its end is known."""
    until_ms = models.BigIntegerField(null=True)
    """When it ends by itself; None = never."""
    taken_ms = models.BigIntegerField(null=True)
    """None = stands, or has ended by itself."""
    colleague = models.TextField(default="")
    """Who in person put it, or took it; empty = nobody did."""
    batch_id = models.TextField(default="")
    changed_ms = models.BigIntegerField()
    seq = models.BigIntegerField()
    """Journal position of the newest change."""
    earlier = models.TextField(default="")
    """JSON list of the states before, newest last, for undoing; `null` first where older ones were dropped."""

    class Meta:
        db_table = "tag_holding"
        constraints = [
            models.UniqueConstraint(
                fields=["identity_id", "group_id", "tag", "target", "kept", "rule_id"], name="tag_holding_once"
            )
        ]
        indexes = [
            models.Index(fields=["tag", "target"], name="tag_holding_by_tag"),
            models.Index(fields=["group_id"], condition=~models.Q(group_id=0), name="tag_holding_in_group"),
            models.Index(fields=["batch_id"], condition=~models.Q(batch_id=""), name="tag_holding_of_batch"),
        ]


class AttributeValue(models.Model):
    """An attribute of an identity, from one source. Which of several is shown is decided when it is read."""

    id = models.BigAutoField(primary_key=True)
    identity_id = models.BigIntegerField()
    attribute = models.TextField()
    kept = models.TextField()
    """Where it comes from: a `domain.events.Kept`."""
    value = models.TextField(null=True)
    """JSON of the value; None = it was taken away."""
    number = models.BigIntegerField(null=True)
    """The value as a number: whole numbers, the minor unit of money, the first moment of a date; None = it is none."""
    word = models.TextField(default="")
    """The value as a short word: texts that are no dates, and `yes` or `no`; empty = it is none."""
    confidence = models.FloatField(default=1.0)
    evidence = models.TextField(default="")
    """JSON list of journal positions; empty = none."""
    set_ms = models.BigIntegerField()
    colleague = models.TextField(default="")
    batch_id = models.TextField(default="")
    seq = models.BigIntegerField()
    earlier = models.TextField(default="")
    """As of `TagHolding`."""

    class Meta:
        db_table = "attribute_value"
        constraints = [models.UniqueConstraint(fields=["identity_id", "attribute", "kept"], name="attribute_value_once")]
        indexes = [
            models.Index(fields=["attribute", "word"], name="attribute_value_by_word"),
            models.Index(fields=["batch_id"], condition=~models.Q(batch_id=""), name="attribute_value_of_batch"),
        ]
