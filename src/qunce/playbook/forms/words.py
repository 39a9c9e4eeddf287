"""What forms say beside the schema's own titles: help in Chinese, names of choices, what each check looks for.

English help is the description of the key in the schema. A key or choice that has no words here names itself, so a new one
works at once; a test lists those that still lack words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from qunce.playbook.explain import CONCEPTS, CONTACTS, CRISES, MEDIA, MODELS, STANDINGS, WHO
from qunce.playbook.explain_desk import NEEDS
from qunce.playbook.explain_profile import TAG_MODELS
from qunce.playbook.responses import KINDS, MATERIALS, STYLES
from qunce.playbook.schema.checks import TITLES, Check

Titles = tuple[str, str]

WEEKDAYS: Final = {
    "mon": ("周一", "Monday"), "tue": ("周二", "Tuesday"), "wed": ("周三", "Wednesday"), "thu": ("周四", "Thursday"),
    "fri": ("周五", "Friday"), "sat": ("周六", "Saturday"), "sun": ("周日", "Sunday"),
}  # fmt: skip
MODES: Final = {
    "observe": ("只记录", "only record"),
    "suggest": ("建议，请同事决定", "suggest: ask a colleague"),
    "act": ("自动处理", "act"),
}
PLATFORM_ROLES: Final = {"owner": ("群主", "group owner"), "admin": ("群管理员", "group admin")}
SUBJECTS: Final = {
    "member": ("成员", "member"), "membership": ("群成员身份（人 × 群）", "membership"), "group": ("群", "group"),
}  # fmt: skip

CHOICES: Final[Mapping[str, Mapping[str, Titles]]] = {
    "mode": MODES,
    "modes": MODES,
    "value": MODES,
    "applies_to": WHO,
    "kinds": {
        **CONTACTS,
        "staff": ("员工", "staff"), "bot": ("群机器人", "bots"), "house_persona": ("群马甲（氛围组）", "house personas"),
    },
    "roles": PLATFORM_ROLES,
    "staff_roles": PLATFORM_ROLES,
    "views": {
        "sound": ("谐音", "same sound"), "shape": ("形近字", "similar shape"), "split": ("拆字", "split characters"),
        "reverse": ("倒写", "written backwards"),
    },
    "do": {
        "talk": ("同事私下沟通", "a colleague talks in private"), "warn": ("提醒", "warn"), "mute": ("禁言", "mute"),
        "remove": ("移出群", "remove"), "ban": ("移出并拉黑", "remove for good"),
    },
    "any_of": {**CONCEPTS, **CRISES},
    "types": MEDIA,
    "model": {**MODELS, **TAG_MODELS},
    "was": STANDINGS,
    "by": {"one": ("同一个人", "one person"), "many": ("几个人合起来", "several people together")},
    "similarity": {"same": ("完全相同", "the same"), "near": ("相同或大部分相同", "the same or nearly so")},
    "need": NEEDS,
    "needs": NEEDS,
    "like": WEEKDAYS,
    "peers": {"answer": ("算作应答，单独统计", "counts as an answer, shown apart"), "note": ("只记录", "only recorded")},
    "styles": STYLES,
    "kind": {**KINDS, **MATERIALS},
    "order": {"ladder": ("从高到低", "from the highest to the lowest"), "classes": ("并列的几类", "side by side")},
    "of": SUBJECTS,
    "target": SUBJECTS,
    "type": {
        "text": ("文字", "text"), "choice": ("选项", "one of several"), "number": ("数字", "whole number"),
        "money": ("金额", "money"), "date": ("日期", "date"), "bool": ("是或否", "yes or no"), "city": ("城市", "city"),
    },
    "colour": {
        "blue": ("蓝", "blue"), "azure": ("天蓝", "azure"), "indigo": ("靛", "indigo"), "purple": ("紫", "purple"),
        "pink": ("粉", "pink"), "red": ("红", "red"), "orange": ("橙", "orange"), "yellow": ("黄", "yellow"),
        "lime": ("黄绿", "lime"), "violet": ("紫罗兰", "violet"),
        "amber": ("琥珀", "amber"), "green": ("绿", "green"), "teal": ("青绿", "teal"), "cyan": ("青", "cyan"),
    },
}  # fmt: skip
"""Names of the values a key may have, by the key."""

CHECKS: Final[Mapping[str, str]] = {
    "terms": "发言里有词库中的词，伪装过的写法（空格、谐音、拆字……）也算",
    "combination": "几组词各出现一个，而且离得很近，例如“加”和“微信”",
    "pattern": "符合正则表达式；不会写就用词库",
    "concept": "按意思识别的广告、砍价、口令、拉群等，不靠单个词",
    "contact": "留下手机号、QQ、微信号或邮箱，数字写法伪装过也算",
    "link": "带有链接，可以只禁某些网站或放行某些网站",
    "qr": "图片里有二维码，可以放行指向某些网站的；Matrix、Telegram 和 QQ（OneBot）群里的图片会被读取",
    "media": "发图片、语音、名片等，可以限定多少次才算；只有网址的发言算链接",
    "flood": "一个人短时间内发太多条",
    "duplicate": "相同或差不多的内容发了好几遍",
    "mention": "一次 @ 太多人或 @ 所有人",
    "crisis": "像危机开头的说法：伤害、曝光、投诉举报、律师函、轻生……只交给人处理",
    "mood": "听起来不满、失望、抱怨；只是提示，不是结论",
    "newcomer": "刚进群不久，或前几次发言；要和别的条件一起用",
    "raid": "短时间内进来很多人",
    "name": "昵称可疑：含词库的词、联系方式，或冒充工作人员",
    "report": "好几位成员回复“举报”",
    "model": "识别模型认为像；它只认得学过的，请先由人决定",
    "speaks_while_muted": "禁言期间还在发言",
    "blocked": "黑名单里的人进群或发言",
    "rejoin": "反复退群又进群",
    "sister": "进群的人已在同社群的另一个群，或在那里退出、被移出过",
    "quarrel": "几个人互相冲突，需要人来调解",
    "length": "一条消息太长",
}
"""What each check looks for, in a line of the menu."""

HELP: Final[Mapping[str, str]] = {
    "Terms.lexicons": "在哪些词库里找",
    "Terms.at_least": "要找到几个不同的词才算",
    "Terms.severity": "程度比这轻的词不算；程度写在词库的词后面",
    "Combination.all_of": "每组至少出现一个词才算；每组一框，一行一个词",
    "Combination.within_chars": "各组的词之间最多隔多少字",
    "Pattern.any_of": "一行一个，符合一个就算；重复次数要有上限，例如 .{0,6}",
    "ConceptCheck.any_of": "勾选的有一种就算",
    "ConceptCheck.at_least": "0 到 1，越高越严格，漏掉的也越多",
    "Contact.kinds": "勾选的有一种就算",
    "Link.hosts": "一行一个域名，子域名也算；不填就是所有链接",
    "Link.allow_hosts": "一行一个，这些网站的链接不算",
    "QrCode.allow_hosts": "一行一个，指向这些网站的二维码不算",
    "Media.types": "勾选的有一种就算",
    "Media.without_text": "只有旁边没写字的才算",
    "Media.times": "同一个人发了几次才算",
    "Media.window": "多长时间内计数",
    "Flood.messages": "发到多少条算刷屏",
    "Flood.window": "多长时间内计数",
    "Duplicate.times": "总共出现几次才算",
    "Duplicate.window": "多长时间内计数",
    "Duplicate.by": "只看一个人，还是几个人发的合起来数",
    "Duplicate.similarity": "完全一样才算，还是差不多也算",
    "Duplicate.min_chars": "更短的（好的、谢谢）不计",
    "Mention.people": "一次 @ 了多少人才算",
    "Mention.everyone": "@ 所有人也算",
    "Crisis.any_of": "勾选的有一种就算；不勾就是全部。程度：轻生 5、健康 5、安全 4、法律 4、媒体 4、集体维权 4、主管部门 3",
    "Crisis.severity": "比这个程度轻的不算",
    "Crisis.at_least": "0 到 1，越高越严格，漏掉的也越多",
    "Mood.at_least": "0 到 1，越高越严格，漏掉的也越多",
    "Mood.min_chars": "更短的话看不出心情",
    "Newcomer.joined_within": "进群多久以内算新人",
    "Newcomer.first_messages": "在本群的前几条发言算新人发言",
    "Raid.joins": "多少人进来算集中入群",
    "Raid.window": "多长时间内计数",
    "Name.lexicons": "昵称里找哪些词库的词",
    "Name.contact": "昵称里带手机号、QQ 或微信号",
    "Name.like_staff": "昵称和工作人员的很像",
    "Report.reporters": "多少位不同的成员举报才算",
    "Report.window": "多长时间内计数",
    "Report.daily_limit": "一个人 24 小时内超出的举报不计",
    "Model.model": "用哪个模型",
    "Model.at_least": "0.5 到 1，越高越严格；在这里学习过以后用它自己的标准",
    "Rejoin.times": "总共进群几次才算",
    "Rejoin.window": "多长时间内计数",
    "Sister.was": "勾选的有一种就算",
    "Sister.window": "更早的退出和移出不算",
    "Quarrel.categories": "哪些类别的规则找到的才计数，一行一个",
    "Quarrel.findings": "找到几次才算",
    "Quarrel.people": "至少来自几个人",
    "Quarrel.window": "多长时间内计数",
    "Length.over_chars": "超过多少字才算",
    "Step.do": "第一次犯走第一级，依次加重",
    "Step.for": "禁言多久；只有禁言要填",
    "Step.private": "私下说，不在群里说",
    "Step.clear": "把这个人此前这么久里发的消息也撤回；只有禁言、移出、拉黑可填",
    "Step.notice": "这一级单独的说法，不填就用总则里的模板；可用 {name} {reason} {rule} {duration} {count} {group}",
    "Ladder.ladder_id": "小写英文、数字、下划线和点；定了就不要改",
    "Ladder.title": "给同事看的名称",
    "Ladder.steps": "从轻到重；到最后一级就重复最后一级",
    "Ladder.grace": "刚处理完这么短时间内又犯的，算同一次",
    "Ladder.forget_after": "这么久没有再犯，就从头算起",
    "Term.text": "* 代表最多 6 个字，? 代表一个字",
    "Term.severity": "1 最轻，5 最重",
    "Lexicon.lexicon_id": "小写英文、数字、下划线和点；定了就不要改",
    "Lexicon.title": "给同事看的名称",
    "Lexicon.terms": "一行一个词，至少 2 个字；* 代表最多 6 个字，? 代表一个字；要标程度就在后面写“ | 4”",
    "Lexicon.allow": "一行一个；含有上面的词但没有问题的说法，例如“路口交通”",
    "Lexicon.views": "除了空格、繁体、全角，还要识破哪些写法",
    "Rule.rule_id": "小写英文、数字、下划线和点，例如 ads.bargain；定了就不要改",
    "Rule.title": "给同事看的名称",
    "Rule.title_en": "界面用英文时的名称，不填就用中文的",
    "Rule.category": "这条规则管哪一类，案件按它统计",
    "Rule.when": "下面的条件全部成立，才算违反",
    "Rule.reason": "对成员说的话，礼貌、简短；也写进群规",
    "Rule.enabled": "关掉后这条规则不起作用，但保留着",
    "Rule.mode": "先“只记录”看几天，再改为“建议”或“自动处理”",
    "Rule.modes": "个别群用不同的方式：左边写群名或编号，右边选方式",
    "Rule.groups": "一行一个群名或编号，* 代表任意字；不填就是所有群",
    "Rule.applies_to": "对谁有效",
    "Rule.ladder": "按哪个阶梯处理；不选就交给同事判断",
    "Rule.delete": "同时撤回违规的消息",
    "Rule.severity": "1 最轻，5 最重；同时违反几条时，最重的一条说了算",
    "Rule.free_hours": "一行一段，这些时间里不管，例如 fri 20:00-22:00",
    "Rule.announced": "把理由写进给成员看的群规",
    "Rule.stale_after": "比这更早的消息只给建议，不会自动处理",
    "Exempt.kinds": "这些身份的账号不受成员规则约束",
    "Exempt.roles": "群里的这些角色不受成员规则约束",
    "Exempt.members": "一行一个平台编号",
    "Info.playbook_id": "小写英文、数字、下划线和点；定了就不要改",
    "Info.title": "给同事看的名称",
    "Info.title_en": "界面用英文时的名称",
    "Info.version": "文件里记的版本号；发布的编号由系统给出",
    "Info.time_zone": "例如 Asia/Shanghai",
    "Info.quiet_hours": "这段时间里，群里的公开说明等到结束再发，例如 22:30-08:00",
    "Info.notice": "移出群后在群里说明原因的话；可用 {name} {reason} {rule}",
    "Info.warning": "提醒本人的话；可用 {name} {reason}",
    "Playbook.blocklist": "一行一个平台编号；这些人不能在任何一个群里",
    "Closed.first": "休息的第一天",
    "Closed.last": "休息的最后一天；只休一天就不填",
    "Closed.title": "例如 国庆节",
    "Workday.date": "要上班的那一天",
    "Workday.like": "按周几的班次上班",
    "Workday.title": "例如 国庆调休",
    "Holidays.holidays_id": "小写英文、数字、下划线和点；定了就不要改",
    "Holidays.title": "给同事看的名称",
    "Holidays.closed": "没有人值班的日子",
    "Holidays.workdays": "本来休息、改为上班的日子",
    "Shift.title": "例如 早班",
    "Shift.hours": "例如 mon-fri 09:00-18:00；可以跨过零点",
    "Shift.breaks": "一行一段，其间不计时，例如 12:00-13:00",
    "Shift.staff": "一行一个平台编号；不填就是任何同事都行",
    "Duty.duty_id": "小写英文、数字、下划线和点；定了就不要改",
    "Duty.title": "给同事看的名称",
    "Duty.shifts": "只要有一个班在值，就计时；班次可以重叠",
    "Duty.holidays": "用哪张节假日表；不选就每周都一样",
    "Escalation.after": "从消息发出起的值班时间",
    "Escalation.to": "一行一个：角色（supervisor 群督导、executor 群执行、manager 群管理、support_agent 客服）或平台编号",
    "Sooner.need": "哪一类消息要更快",
    "Sooner.within": "多长的值班时间内要回应",
    "Material.kind": "素材是什么",
    "Material.ref": "链接写完整的网址；图片、视频、文件写它放在哪里",
    "Material.note": "给同事看的提醒，不会发给成员",
    "Response.response_id": "小写英文、数字、下划线和点；定了就不要改",
    "Response.title": "给同事看的名称",
    "Response.title_en": "界面用英文时的名称",
    "Response.kind": "什么时候用",
    "Response.business": "介绍产品、价格、下单的是业务话术；问候、关心、陪伴的不是",
    "Response.text": "对成员说的话；可用 {name} {group} {staff} {organisation} {rules}",
    "Response.asks": "一行一个，成员可能怎么问；应答台按它来推荐",
    "Response.needs": "哪类消息适合用它；不选就都行",
    "Response.styles": "适合对哪种人说；不选就都行",
    "Response.groups": "一行一个群名或编号，* 代表任意字；不填就是所有群",
    "Response.materials": "要一起发的链接、图片、文件，由同事附上",
    "AnswerRule.rule_id": "小写英文、数字、下划线和点；定了就不要改",
    "AnswerRule.title": "给同事看的名称",
    "AnswerRule.title_en": "界面用英文时的名称",
    "AnswerRule.enabled": "关掉后不计时，但保留着",
    "AnswerRule.mode": "只记录：只计时；建议、自动：超时提醒同事",
    "AnswerRule.groups": "一行一个群名或编号，* 代表任意字；不填就是所有群；排在前面的先用",
    "AnswerRule.needs": "哪些消息要有人回应",
    "AnswerRule.first_within": "多长的值班时间内要第一次回应",
    "AnswerRule.next_within": "谈话中，多长的值班时间内要再回应",
    "AnswerRule.sooner": "有些消息要更快",
    "AnswerRule.escalate": "过了多久没人回应，就告诉谁",
    "AnswerRule.duty": "按哪张值班表计时；不选就一直计时",
    "AnswerRule.brands": "一行一个；成员用 @ 这样叫我们，例如 客服",
    "AnswerRule.notify": "一行一个：群名、群编号、机器人渠道的名称，或同事的登录名（发到账号里的邮箱）；"
    "升级时说一声，只说群名、情况、等了多久，不带成员的话",
    "AnswerRule.staff_roles": "群里的这些角色回答了也算",
    "AnswerRule.peers": "热心成员（KOC）的回答怎么算",
    "AnswerRule.peer_members": "一行一个平台编号，除了已打上 KOC 标签的",
    "AnswerRule.follow_up": "回应之后这么久以内，同一个人再问算同一次谈话",
    "AnswerRule.give_up_after": "过了时限这么久还没人回应，就记为一直没有回应",
    "Segment.segment_id": "小写英文、数字、下划线和点；定了就不要改",
    "Segment.title": "给同事看的名称",
    "Segment.title_en": "界面用英文时的名称",
    "Segment.of": "一个人、一个人在一个群里，还是一个群",
    "Segment.where": "下面的条件全部满足，才属于这个人群",
    "Attribute.attribute_id": "小写英文、数字、下划线和点；定了就不要改",
    "Attribute.title": "给同事看的名称",
    "Attribute.title_en": "界面用英文时的名称",
    "Attribute.type": "填什么样的内容；定了就不要改",
    "Attribute.choices": "可以选的值；类型是“选项”时才填",
    "Attribute.unit": "写在数字后面，例如 个月",
    "Attribute.segmentable": "可以按它分人群；文字类型不行",
    "Attribute.chat_phrases": "一行一种；成员这样说起自己时，系统会提议填上",
    "Attribute.auto_accept_above": "把握超过这个数就直接填上；不填就总是先问",
    "Attribute.portrait": "写进一句话画像",
    "Choice.value": "存下来和显示的值",
    "Choice.words": "一行一个；文件里和聊天里的其他叫法",
    "Choice.note": "是什么意思，怎么对待、怎么称呼这样的人",
    "TagGroup.group_id": "小写英文、数字、下划线和点；定了就不要改",
    "TagGroup.title": "给同事看的名称",
    "TagGroup.title_en": "界面用英文时的名称",
    "TagGroup.exclusive": "同一时间只能有组里的一个标签",
    "TagGroup.target": "打在谁身上",
    "TagGroup.tags": "组里的标签",
    "Tag.tag_id": "标签本身，定了就不要改，例如 阶段/孕期",
    "Tag.title": "显示的名称，不填就用标签本身",
    "Tag.title_en": "界面用英文时的名称",
    "Tag.colour": "页面上的颜色",
    "Tag.note": "是什么意思，怎么对待、怎么称呼这样的人",
    "Tag.rules": "其中一条成立，就打上这个标签",
    "TagRule.rule_id": "小写英文、数字、下划线和点；定了就不要改",
    "TagRule.where": "和人群的条件一样：行为、进群、次数、购买、其他人群",
    "TagRule.said": "一行一个；消息里有其中一个词",
    "TagRule.within": "只看最近这么久的消息",
    "TagRule.model": "广告、冒犯、不满情绪是自带的；自学的按同事标注的“标签对 / 不对”学习，两种各满 20 条才起作用",
    "TagRule.at_least": "一条消息至少要有这么大把握；不填就是 0.9",
    "TagRule.times": "至少有几条这样的消息",
    "TagRule.mode": "只记录：只计数；建议：提议打上；自动：直接打上",
    "TagRule.reason": "写在标签旁边",
    "TagRule.confidence": "这条规则有多大把握，0 到 1",
    "TagRule.expire_after": "这么久以后标签自动去掉",
    "TagRule.take_back": "条件不再成立时去掉标签",
    "Scheme.scheme_id": "小写英文、数字、下划线和点；定了就不要改",
    "Scheme.title": "给同事看的名称",
    "Scheme.title_en": "界面用英文时的名称",
    "Scheme.order": "有高低之分，还是并列的几类",
    "Scheme.levels": "从高到低；每个人属于第一个条件满足的层级",
    "Level.level_id": "小写英文、数字、下划线和点；定了就不要改",
    "Level.title": "给同事看的名称",
    "Level.title_en": "界面用英文时的名称",
    "Level.where": "下面的条件全部满足，才属于这一层；最后一层不填，其余的人都在这里",
    "Level.advice": "同事该怎么对待、怎么称呼这一层的人",
    "Level.advice_en": "界面用英文时的建议",
    "Node.all": "里面的全部满足",
    "Node.any": "里面的满足一个就行",
    "Node.not": "里面的不满足",
    "Node.attr": "看哪个属性",
    "Node.is": "例如 3、>=3、<=7d、set、missing；一行一个",
    "Node.tag": "一行一个标签，有一个就行",
    "Node.did": "一行一种行为，有一种就行",
    "Node.within": "最近多久，例如 7d，或 today、this_week、this_month",
    "Node.since": "从哪个属性所记的时间算起",
    "Node.where": "行为要满足的：左边写字段，右边写条件",
    "Node.times": "发生几次，例如 >=3",
    "Node.days": "在几个不同的日子里，例如 >=3",
    "Node.sum": "合计：左边写字段，右边写条件",
    "Node.distinct": "不同的值有几个：左边写字段，右边写条件",
    "Node.first": "第一次是什么时候",
    "Node.last": "最近一次是什么时候",
    "Node.segment": "同一主体的另一个人群",
    "Node.sample": "按比例抽样，例如 10%",
    "Node.salt": "换一个名字就是另一次抽样",
}
"""Help in Chinese by record and key, as YAML names it."""

SECTION_ABOUT: Final[Mapping[str, Titles]] = {
    "playbook": ("名称、时区、免打扰时段和群里说话的模板", "Name, time zone, quiet hours, and the words said in groups"),
    "exempt": ("不受成员规则约束的人", "Who is not bound by rules for members"),
    "blocklist": ("不能在任何一个群里的账号", "Accounts that may not be in any group"),
    "lexicons": (
        "规则要找的词；找到只是线索，规则决定怎么办",
        "Words that rules look for; a match is evidence, a rule decides",
    ),
    "ladders": ("一犯再犯时怎样一级一级加重", "How sanctions grow with repetition"),
    "rules": ("要找什么、算什么、怎么处理", "What is looked for, what it means, what follows"),
    "answers": ("哪些消息要回应、多快、没人回应告诉谁", "Which messages need an answer, how fast, and whom to call"),
    "duties": ("谁在什么时候值班；应答时限只在值班时间走", "Who is on duty when; answer clocks run in duty hours only"),
    "holidays": ("休息日和调休", "Closed days, and days worked in their place"),
    "attributes": ("关于成员要记下的事：阶段、地区、偏好……", "What is to be known of a member: stage, place, taste"),
    "tag_groups": ("给成员和群打的标签，以及自动打标签的规则", "Tags of members and groups, and rules that put them"),
    "tiers": ("把成员分成几层，每层怎么对待", "Members sorted into levels, and how to treat each"),
    "replies": ("事先写好的回复，应答台随手可用", "Words prepared once, used by everybody who answers"),
    "segments": ("按属性、标签和行为划分的人", "People by attributes, tags and what they did"),
}

_ENGLISH: Final = {
    "rule_id": "Rule id", "lexicon_id": "Lexicon id", "ladder_id": "Ladder id", "duty_id": "Duty id",
    "title_en": "English title",
    "holidays_id": "Holidays id", "segment_id": "Segment id", "playbook_id": "Playbook id", "do": "Action", "for": "How long",
    "like": "Like which weekday", "to": "Tell whom", "of": "About", "did": "Did", "is": "Is",
}  # fmt: skip


def english(name: str) -> str:
    """Return the English name of a key: what YAML calls it, as words."""
    return _ENGLISH.get(name, name.replace("_", " ").capitalize())


def choice(key: str, code: str) -> Titles:
    """Return the names of a value of a key; without words it names itself."""
    return CHOICES.get(key, {}).get(code, (code, code))


def kind_title(record: Any) -> Titles:
    """Return the names of a kind of a union."""
    tag = str(record.__struct_config__.tag)
    return TITLES.get(record, (tag, tag.replace("_", " "))) if issubclass(record, Check) else (tag, tag.replace("_", " "))


def kind_about(record: Any) -> Titles:
    """Return what a kind of a union looks for; the English one is the first line of its description."""
    lines = (record.__doc__ or "").strip().splitlines()
    return CHECKS.get(str(record.__struct_config__.tag), ""), lines[0] if lines else ""


def section_about(name: str) -> Titles:
    """Return what a section is for, in a line; empty = it has no words yet."""
    return SECTION_ABOUT.get(name, ("", ""))
