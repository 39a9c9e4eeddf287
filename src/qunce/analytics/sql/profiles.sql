-- member_profiles --
-- Members, without staff, bots, house personas and system accounts; 0 = none.
select m.id as member_id, case when m.kind = 'member' then 1 else 0 end as kind, {connector} as connector,
       coalesce(m.first_ms, 0) as first_seen_at, coalesce(m.last_ms, 0) as last_seen_at,
       coalesce(m.last_message_ms, 0) as last_message_at, m.message_count as messages, m.order_count as orders,
       m.paid_minor as spend, coalesce(t.groups, 0) as groups
from member m
left join identity i on i.id = m.id
left join (
    select o.member_id, count(distinct s.group_id) as groups
    from membership s
    join identity o on o.id = s.identity_id
    join chat_group g on g.id = s.group_id and g.kind = 'group'
    where s.left_ms is null
    group by o.member_id
) t on t.member_id = m.id
where m.kind not in ({not_members}) and exists (select 1 from identity a where a.member_id = m.id)
order by m.id

-- membership_profiles --
-- Members in groups, their accounts taken together: who has two has left once both have. Role 1 = member, 2 = admin, 3 = owner.
select s.group_id, a.member_id, coalesce(min(s.joined_ms), 0) as joined_at,
       case when count(s.left_ms) = count(*) then max(s.left_ms) else 0 end as left_at,
       max(case s.role when 'owner' then 3 when 'admin' then 2 else 1 end) as role, min(s.first_ms) as first_seen_at,
       coalesce(max(s.last_message_ms), 0) as last_message_at, sum(s.message_count) as messages
from membership s
join chat_group g on g.id = s.group_id and g.kind = 'group'
join identity a on a.id = s.identity_id
join member m on m.id = a.member_id
where a.kind not in ({not_members}) and m.kind not in ({not_members})
group by s.group_id, a.member_id
order by s.group_id, a.member_id

-- group_profiles --
-- Groups with the members who are there; 0 = none.
select i.id as group_id, coalesce(i.created_ms, 0) as created_at, coalesce(i.first_ms, 0) as first_seen_at,
       coalesce(i.last_ms, 0) as last_seen_at, coalesce(i.last_message_ms, 0) as last_message_at,
       i.message_count as messages, coalesce(t.members, 0) as members, {connector} as connector,
       coalesce(i.community_id, 0) as community
from chat_group i
left join (
    select s.group_id, count(distinct a.member_id) as members
    from membership s
    join identity a on a.id = s.identity_id
    join member m on m.id = a.member_id
    where s.left_ms is null and a.kind not in ({not_members}) and m.kind not in ({not_members})
    group by s.group_id
) t on t.group_id = i.id
where i.kind = 'group'
order by i.id

-- orders --
-- Orders as they stand; a moment of 0 = that did not happen.
select o.id as order_id, coalesce(o.identity_id, 0) as identity_id, o.created_ms, coalesce(o.paid_ms, 0) as paid_ms,
       case when o.status = 'refunded' then o.status_ms else 0 end as refunded_ms, o.amount_minor, o.refunded_minor,
       {currency} as currency
from purchase o
order by o.id
