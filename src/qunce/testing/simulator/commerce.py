"""Let members click and buy: orders with payment, refunds, repeat purchases; tags and hand-overs of contacts follow."""

from __future__ import annotations

from typing import Literal

from qunce.domain.events import ContactTransferred, ContactUpdated, Event, Item, LinkClicked, OrderUpdated, TagChanged
from qunce.domain.keys import native_key

from .groups import Group
from .people import Archetype, Member
from .rhythm import DAY, MINUTE, SECOND
from .stage import Stage
from .texts.phrases import Product

Status = Literal["created", "paid", "refunded", "closed"]


def click(stage: Stage, group: Group, ts_ms: int, who: Member | None = None) -> Member | None:
    """Let a member follow a link of the group to the shop; return who it was. None = nobody was there."""
    who = who or _buyer(stage, group, ts_ms)
    if who is None:
        return None
    product = _product(stage, group)
    url = f"https://shop.chunfengli.example/p/{product.sku}?g={group.number}"
    body = LinkClicked(link_id=f"{product.sku}-{group.number}", url=url, channel_code=group.theme.community)
    stage.record(ts_ms, group.source, body, key="click", conv=group.conv, actor=who.party)
    who.busy_ms = max(who.busy_ms, ts_ms)
    return who


def order(stage: Stage, group: Group, ts_ms: int) -> None:
    """Let a member click, order and pay; a part is never paid, a part is refunded days later."""
    random = stage.random
    who = click(stage, group, ts_ms)
    if who is None:
        return
    items = tuple(_item(stage, group) for _ in range(2 if random() < 0.2 else 1))
    number = f"CF{stage.serial()}"
    created = ts_ms + stage.pause(300)
    _order(stage, group, who, created, number, "created", items)
    if random() < 0.09:
        _order(stage, group, who, created + 30 * MINUTE, number, "closed", items)
        return
    paid = created + stage.pause(40)
    _order(stage, group, who, paid, number, "paid", items)
    if random() < 0.05:
        _order(stage, group, who, paid + DAY + int(random() * 6 * DAY), number, "refunded", items)
    who.buys += 1
    if who.buys == 1:
        group.buyers.append(who)
    if group.platform == "wecom":
        _follow_up(stage, group, who, paid)


def _buyer(stage: Stage, group: Group, ts_ms: int) -> Member | None:
    random = stage.random
    if group.buyers and random() < 0.38:
        place = int(random() * len(group.buyers))
        who = group.buyers[place]
        if who.at >= 0:
            return who
        group.buyers[place] = group.buyers[-1]
        group.buyers.pop()
    draw = random()
    wanted: Archetype = (
        "hunter" if draw < 0.3 else "chatter" if draw < 0.45 else "koc" if draw < 0.53 else "asker" if draw < 0.65
        else "lurker" if draw < 0.85 else "silent"
    )  # fmt: skip
    return group.pick(random, wanted, ts_ms)


def _product(stage: Stage, group: Group) -> Product:
    products = group.theme.products
    return products[int(len(products) * stage.random() ** 1.6)]


def _item(stage: Stage, group: Group) -> Item:
    product = _product(stage, group)
    quantity = 1 if stage.random() < 0.75 else 2 + int(stage.random() * 2)
    return Item(name=product.name, sku=product.sku, quantity=quantity, amount_minor=product.amount_minor * quantity)


def _order(stage: Stage, group: Group, who: Member, ts_ms: int, number: str, status: Status, items: tuple[Item, ...]) -> None:
    amount = sum(item.amount_minor or 0 for item in items)
    body = OrderUpdated(order_id=number, status=status, amount_minor=amount, items=items)
    key = native_key("order", number, status)
    stage.timeline.add(Event(ts_ms=ts_ms, source=group.source, body=body, dedupe_key=key, subject=who.party))


def _follow_up(stage: Stage, group: Group, who: Member, ts_ms: int) -> None:
    """Tag buyers, keep notes on them, and now and then hand one over to another employee."""
    team = group.team.staff
    support, manager = team["support_agent"].party, team["manager"].party
    added = {1: ("已购",), 2: ("复购",), 5: ("超级用户",)}.get(who.buys)
    if added is not None:
        body = TagChanged(target="contact", added=added, staff=support.platform_id)
        stage.record(ts_ms + SECOND, group.source, body, key="tag", actor=support, subject=who.party)
    draw = stage.random()
    if draw < 0.06:
        updated = ContactUpdated(fields=("remark", "description"))
        stage.record(ts_ms + 2 * SECOND, group.source, updated, key="contact", actor=support, subject=who.party)
    elif draw < 0.075:
        for place, status in enumerate(("started", "done")):
            moved = ContactTransferred(from_staff=support.platform_id, to_staff=manager.platform_id, status=status)  # type: ignore[arg-type]
            stage.record(ts_ms + MINUTE + place * DAY, group.source, moved, key="contact", subject=who.party)
