"""Deliver: claim what is due on one channel, carry it out, and record how it ended with what was reported back.

    claim (budget, lease) ─▶ ask again whether it should be ─▶ connector.act ─▶ one transaction: outcome · events · late undo

A crash before the call leaves the delivery to another try; after it, to the lease: where the channel takes our key it is done
again, which does nothing twice, and where it does not, a word is `unknown` and a person says whether it arrived.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from django.db import transaction

from qunce.connectors.base import Capabilities, Connector, Quota
from qunce.connectors.errors import AuthFailed, Permanent, Retryable, UnknownOutcome, Unsupported
from qunce.domain.events import Event
from qunce.outbox import queue
from qunce.outbox.budget import Rate
from qunce.outbox.models import Delivery
from qunce.runtime.clock import now_ms
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import checks, plans, undoing
from qunce.runtime.live.desk import replies
from qunce.runtime.live.threads import DatabaseThread
from qunce.runtime.models import Channel

logger = logging.getLogger(__name__)

AT_ONCE: Final = 20
CALL_S: Final = 30.0
"""A call that has not come back by then is given up; well below the lease."""
MAX_HOLD_MS: Final = 3_600_000
"""A channel is held back this long at most before it is tried again, whatever the platform asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a try ended; `outcome` as in `outbox.queue.finish`."""

    outcome: str
    code: str = ""
    receipt: str = ""
    after_ms: int = 0
    events: tuple[Event, ...] = ()
    refused: bool = False
    """The credentials are not accepted: nothing else will work either."""


def rates(quotas: Sequence[Quota], capability: str, conv_id: str) -> tuple[Rate, ...]:
    """Return the budgets one call of a capability in a conversation draws on.

    Half of a quota may be used at once and the other half refills over its time, so that no stretch of that length ever sees
    more than the quota. Of a quota that is not certain half is taken for the whole.
    """
    found = []
    for quota in quotas:
        if quota.name != capability:
            continue
        limit = max(1, quota.limit if quota.is_certain else quota.limit // 2)
        burst = max(1, limit // 2)
        name = f"{quota.name}/{quota.per_s}" + (f"@{conv_id}" if quota.scope == "conversation" else "")
        found.append(Rate(name, calls=max(1, limit - burst), seconds=quota.per_s, burst=burst))
    return tuple(found)


class Hand:
    """The database half of delivering on one channel account. For one thread; needs no connector."""

    def __init__(
        self,
        connector: str,
        account: str,
        capabilities: Capabilities,
        by: str,
        ingest: Ingest,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._connector = connector
        self._account = account
        self._capabilities = capabilities
        self._by = by
        self._ingest = ingest
        self._clock = clock
        self._held_until_ms = 0

    def claim(self) -> list[Delivery]:
        """Return what is to be carried out now; settle what should not be done any more, and what only people can do."""
        moment = self._clock()
        if moment < self._held_until_ms <= moment + MAX_HOLD_MS:
            return []
        idempotent = self._capabilities.idempotent == "yes"
        queue.recover(self._connector, self._account, idempotent=idempotent, now_ms=moment)
        claimed: list[Delivery] = []
        for pair in queue.waiting(self._connector, self._account, now_ms=moment, limit=AT_ONCE):
            if len(claimed) >= AT_ONCE:
                break
            claimed += queue.claim(
                self._connector, self._account, by=self._by, now_ms=moment, limit=AT_ONCE - len(claimed),
                rates=rates(self._capabilities.quotas, *pair), only=pair,
            )  # fmt: skip
        return [row for row in claimed if self._may(row, moment)]

    def settle(self, row: Delivery, outcome: Outcome) -> None:
        """Record how a try ended, with the events it was reported by."""
        moment = self._clock()
        try:
            with transaction.atomic():
                queue.finish(
                    row, outcome=outcome.outcome, code=outcome.code, receipt=outcome.receipt, retry_after_ms=outcome.after_ms,
                    now_ms=moment,
                )  # fmt: skip
                self._note(outcome, moment)
                happened = (
                    outcome.events
                    if outcome.outcome != "done"
                    else (*outcome.events, *replies.given(row, outcome.receipt, moment))
                )
                if happened:
                    self._ingest.take(happened)
                if outcome.outcome in ("done", "unknown"):
                    row.state, row.receipt = outcome.outcome, outcome.receipt
                    undoing.take_back_late(row, moment)
        except BaseException:
            self._ingest.forget()
            raise

    def _note(self, outcome: Outcome, moment: int) -> None:
        """Record what an outcome says about the channel as a whole."""
        if outcome.after_ms:
            # The platform asked for a pause: what else is due would only be refused too.
            self._held_until_ms = max(self._held_until_ms, moment + min(outcome.after_ms, MAX_HOLD_MS))
        channel = Channel.objects.filter(connector=self._connector, account=self._account)
        if outcome.refused:
            queue.pause(self._connector, self._account, reason=outcome.code, now_ms=moment)
            channel.update(status="auth_failed", code=outcome.code, status_ms=moment)
        elif outcome.outcome == "done":
            # A channel that can only send tells in no other way that it is up.
            channel.filter(status="new").update(status="up", status_ms=moment)

    def _may(self, row: Delivery, moment: int) -> bool:
        """Settle what needs no call; return whether one is needed."""
        try:
            why = checks.why_not(row, plans.decode(row.command), moment)
        except msgspec.ValidationError:
            self.settle(row, Outcome(outcome="failed", code="unreadable"))
            return False
        if why:
            self.settle(row, Outcome(outcome="suppressed", code=why))
            return False
        how = self._capabilities.ability(row.capability).how
        if how != "automatic":
            self.settle(row, Outcome(outcome="human", code=how))
            return False
        return True


async def attempt(connector: Connector, row: Delivery) -> Outcome:
    """Carry one delivery out. Never raises but when cancelled; then the lease decides."""
    may_repeat = connector.capabilities.idempotent == "yes" or row.capability in queue.REPEATABLE
    doubt = "retry" if may_repeat else "unknown"
    try:
        async with asyncio.timeout(CALL_S):
            receipt = await connector.act(plans.decode(row.command), idem_key=row.idem_key)
        return Outcome(outcome="done", receipt=receipt.platform_id or "", events=receipt.events)
    except Unsupported as error:
        return Outcome(outcome="human", code=error.code)
    except AuthFailed as error:
        return Outcome(outcome="retry", code=error.code, refused=True)
    except Permanent as error:
        return Outcome(outcome="failed", code=error.code)
    except Retryable as error:
        return Outcome(outcome="retry", code=error.code, after_ms=int((error.after_s or 0) * 1_000))
    except UnknownOutcome as error:
        return Outcome(outcome=doubt, code=error.code)
    except TimeoutError:
        return Outcome(outcome=doubt, code="timeout")
    except Exception:  # a loop border: a connector that answers nonsense must not stop the channel
        logger.exception("connector failed", extra={"action": "deliver.failed", "delivery_id": row.pk})
        return Outcome(outcome=doubt, code="connector_fault")


class Deliverer:
    """The loop of one channel: `turn` is one round."""

    def __init__(self, connector: Connector, hand: Hand, thread: DatabaseThread) -> None:
        self._connector = connector
        self._hand = hand
        self._thread = thread

    async def turn(self) -> int:
        """Carry out what is due; return how many calls were made."""
        rows = await self._thread.do(self._hand.claim)
        await asyncio.gather(*(self._one(row) for row in rows))
        return len(rows)

    async def _one(self, row: Delivery) -> None:
        outcome = await attempt(self._connector, row)
        await self._thread.do(self._hand.settle, row, outcome)
