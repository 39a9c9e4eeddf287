-- exceptions --
-- Identities that are not members, or belong to a member who began as another identity.
select i.id as identity_id, i.member_id,
       case when i.kind in ({not_members}) or p.kind in ({not_members}) then 1 else 0 end as excluded
from identity i
join member p on p.id = i.member_id
where (i.kind in ({not_members}) or p.kind in ({not_members}) or i.member_id <> i.id) {only accounts i.id}
order by i.id

-- groups --
-- Conversations with their community and kind (1 = group, 0 = direct chat or channel).
select g.id as group_id, coalesce(g.community_id, 0) as community_id, case when g.kind = 'group' then 1 else 0 end as kind
from chat_group g
order by g.id

-- memberships --
-- Who is or was in which group; moments, made local days by the reader.
select s.group_id, s.identity_id, s.first_ms, coalesce(s.joined_ms, 0) as joined_ms, coalesce(s.left_ms, 0) as left_ms
from membership s
order by s.group_id, s.identity_id

-- purchases --
-- Orders as they stand; the currency as its three letters packed into one integer.
select o.id as order_id, coalesce(o.identity_id, 0) as identity_id, o.day, coalesce(o.paid_ms, o.created_ms) as paid_ms,
       o.amount_minor, o.refunded_minor, {currency} as currency,
       case when o.status in ('paid', 'refunded') or o.paid_ms is not null then 1 else 0 end as is_paid
from purchase o
order by o.id

-- questions --
-- Members' questions and how long they waited; -1 = unanswered.
select q.seq, q.group_id, q.identity_id, q.day, coalesce(q.response_s, -1) as response_s,
       coalesce(q.responder_id, 0) as responder
from question q
order by q.seq
