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
    where s.left_ms is null {only members o.member_id}
    group by o.member_id
) t on t.member_id = m.id
where m.kind not in ({not_members}) and exists (select 1 from identity a where a.member_id = m.id) {only members m.id}
order by m.id

-- membership_profiles --
-- Members in groups, their accounts taken together: who has two has left once both have. Role 1 = member, 2 = admin, 3 = owner.
--- Scene: place in `catalogue.SCENES`, of the first account whose way is known; 0 = of none.
select s.group_id, a.member_id, coalesce(min(s.joined_ms), 0) as joined_at,
       case when count(s.left_ms) = count(*) then max(s.left_ms) else 0 end as left_at,
       max(case s.role when 'owner' then 3 when 'admin' then 2 else 1 end) as role,
       coalesce(min(case when s.scene in ('invited', 'invite_link', 'qr', 'join_way', 'approved', 'self') then
           coalesce(s.joined_ms, s.first_ms) * 8 + case s.scene
               when 'invited' then 1 when 'invite_link' then 2 when 'qr' then 3 when 'join_way' then 4 when 'approved' then 5
               else 6 end end) % 8, 0) as scene,
       min(s.first_ms) as first_seen_at,
       coalesce(max(s.last_message_ms), 0) as last_message_at, sum(s.message_count) as messages
from membership s
join chat_group g on g.id = s.group_id and g.kind = 'group'
join identity a on a.id = s.identity_id
join member m on m.id = a.member_id
where a.kind not in ({not_members}) and m.kind not in ({not_members}) {only members a.member_id}
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
    where s.left_ms is null and a.kind not in ({not_members}) and m.kind not in ({not_members}) {only groups s.group_id}
    group by s.group_id
) t on t.group_id = i.id
where i.kind = 'group' {only groups i.id}
order by i.id

-- orders --
-- Orders as they stand; a moment of 0 = that did not happen.
select o.id as order_id, coalesce(o.identity_id, 0) as identity_id, o.created_ms, coalesce(o.paid_ms, 0) as paid_ms,
       case when o.status = 'refunded' then o.status_ms else 0 end as refunded_ms, o.amount_minor, o.refunded_minor,
       {currency} as currency
from purchase o
where o.id > 0 {only accounts o.identity_id}
order by o.id

-- tags --
-- Tags of members who count, memberships and groups, from when until when; of: 0 = member, 1 = membership, 2 = group.
-- `tag` is the place of the tag in the database's own order, from 1. Those that ended before they began are left out.
with words as (
    select tag, row_number() over (order by tag) as place from (select distinct tag from tag_holding) t
), held as (
    select case h.target when 'member' then 0 when 'membership' then 1 else 2 end as of,
           case h.target when 'group' then h.group_id else a.member_id end as subject_id,
           case h.target when 'membership' then h.group_id else 0 end as group_id, w.place as tag, h.put_ms as from_ms,
           case when h.taken_ms is null then coalesce(h.until_ms, 0)
                when h.until_ms is not null and h.until_ms < h.taken_ms then h.until_ms
                else h.taken_ms end as to_ms
    from tag_holding h
    join words w on w.tag = h.tag
    left join identity a on a.id = h.identity_id
    left join member m on m.id = a.member_id
    where h.put_ms is not null
      and (h.identity_id = 0 or (a.kind not in ({not_members}) and m.kind not in ({not_members})))
      {only holders h.identity_id}
)
select of, subject_id, group_id, tag, from_ms, to_ms
from held
where to_ms = 0 or to_ms > from_ms
order by of, subject_id, group_id, tag, from_ms, to_ms

-- fields --
-- The value that counts of each attribute of members who count: a colleague's before a file's or platform's, before words said
-- in a group, before a rule's and a model's; then the newest. `attribute` and `word` are places as above, 0 = no word.
with words as (
    select word, row_number() over (order by word) as place
    from (select distinct word from attribute_value where word <> '') t
), names as (
    select attribute, row_number() over (order by attribute) as place from (select distinct attribute from attribute_value) t
), ranked as (
    select a.member_id, v.attribute, v.number, v.word,
           row_number() over (
               partition by a.member_id, v.attribute
               order by case v.kept when 'manual' then 0 when 'import' then 1 when 'connector' then 1 when 'chat' then 2 else 3 end,
                        v.set_ms desc, v.seq desc
           ) as place
    from attribute_value v
    join identity a on a.id = v.identity_id
    join member m on m.id = a.member_id
    where v.value is not null and a.kind not in ({not_members}) and m.kind not in ({not_members}) {only accounts v.identity_id}
)
select r.member_id, n.place as attribute, coalesce(r.number, 0) as number, coalesce(w.place, 0) as word,
       case when r.number is null then 0 else 1 end as is_number
from ranked r
join names n on n.attribute = r.attribute
left join words w on w.word = r.word
where r.place = 1 and (r.number is not null or r.word <> '')
order by r.member_id, n.place
