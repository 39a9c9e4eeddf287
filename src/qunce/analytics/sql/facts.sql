-- message --
-- Messages after a position, with the author replied to. Only integers; 0 = none.
select m.seq, m.ts_ms, m.day, {message} as type, m.group_id, coalesce(m.identity_id, 0) as actor,
       coalesce(r.identity_id, 0) as peer, m.content, length(m.text) as length,
       case when m.is_question then 1 else 0 end as is_question, coalesce(m.reply_to, 0) as reply_to
from message m
left join message r on r.seq = m.reply_to
where m.seq > {after} and m.seq <= {upto}
order by m.seq

-- happening --
-- Joins, leaves, mutes, clicks and the like after a position; the peer is who did it, where that is somebody else.
select h.seq, h.ts_ms, h.day, h.type, coalesce(h.group_id, 0) as group_id, coalesce(h.identity_id, 0) as actor,
       coalesce(h.actor_id, 0) as peer, 0 as content, 0 as length, 0 as is_question, 0 as reply_to
from happening h
where h.seq > {after} and h.seq <= {upto}
order by h.seq

-- reaction --
-- Standing reactions after a position, in the group of the message reacted to.
select x.seq, x.ts_ms, x.day, {reaction} as type, coalesce(m.group_id, 0) as group_id, x.identity_id as actor,
       coalesce(m.identity_id, 0) as peer, 0 as content, 0 as length, 0 as is_question, x.message_seq as reply_to
from reaction x
left join message m on m.seq = x.message_seq
where x.seq > {after} and x.seq <= {upto}
order by x.seq
