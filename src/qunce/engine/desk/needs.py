"""Tell from a message's words whether it needs an answer, closes a talk, or asks for patience.

The words were collected for this project. They look at folded text (half width, lower case, simplified); all repeats are
bounded, so a long message costs time in proportion to its length. What they miss and take wrongly is counted by the tests on
real chats; docs/algorithms/answer-clock.md lists the rules.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from qunce.domain.desk import Need
from qunce.domain.text import characters, fold_table
from qunce.engine.text.views import Views

MAX_ASK_CHARS: Final = 300
"""Questions are looked for in this much of a message's beginning: longer ones are posts, not questions."""
MAX_TROUBLE_CHARS: Final = 1_000
"""Complaints and trouble with orders are looked for in this much."""


def _beginning(first: str, pattern: str) -> re.Pattern[str]:
    """Return the pattern, tried only where one of the characters stands that it can begin with.

    Trying all of its alternatives at every place of a text takes three times as long. A test holds both to the same finds.
    """
    return re.compile(f"(?=[{first}])(?:{pattern})")


_COMPLAINT: Final = _beginning(
    "上不什假发受变吃坑垃太好差很态投拉智曝有没消烂真答维被说质过还这退长非骗黑1acdrstu",
    r"投诉|差评|骗人的|骗子|被骗|骗钱|上当|受骗|坑人|坑爹|黑店|假货|维权|12315|消协|曝光你|智商税|退钱|还钱|烂脸|"
    r"(?:太|很|真|好|这么|非常)(?:差劲|差了|差$|坑|烂|恶心|失望|不负责)|质量.{0,3}(?:差|烂|不行|不好|有问题)|垃圾(?:产品|东西|质量|客服|店)|"
    r"(?<![不没会])过敏了|拉肚子|吃坏|发霉|变质|长毛|有虫|有异味|过期(?:了|的|产品|食品)|不满意|态度.{0,3}(?:差|恶劣|不好)|没人(?:管|理|回)|不理人|"
    r"(?:说好的|答应).{0,12}(?:没|不)|什么破|"
    r"\b(?:complain(?:t|ing)?|scam(?:med)?|terrible|awful|unacceptable|disappointed|rip ?off)\b",
)
_ORDER: Final = _beginning(
    "一下不什仓付优你催到券包发可商如寄少就帮快怎想打扣拆支收未杯求没漏物瓶申盒箱给缺罐能袋要订还迟错dmnrw",
    r"(?:没|没有|未|一直没|迟迟不|还不|就是不|怎么不|不给)(?:收到|到货|发货|送到|派送|退款)|"
    r"什么时候.{0,4}(?:发货|到货|到账|送到|退款)|催.{0,3}(?:发货|单|快递|一下)|"
    r"(?:快递|物流|包裹).{0,8}(?:没|不动|不更新|丢|卡|慢|停|查不|哪)|(?:少|漏|错)(?:发|寄|装)|"
    r"(?:你们|给我|商家|仓库).{0,6}(?:发|寄|送)(?:错|少|漏)|(?:发|寄)(?:错|漏|少)(?:货|款|色|颜色|码|件|快递|东西|地址|尺寸|型号|口味|了(?!群|$))|缺件|缺货了?吗|"
    r"(?:收到|到手|拆开|打开|到货)[^，。,!?\s]{0,8}(?:坏|碎|漏|裂|破|扁|烂|不对|少了)|(?:瓶|盒|箱|罐|杯|袋|包装)[^，。,!?\s]{0,4}(?:坏|碎|漏|裂|破|压扁|扁)了|"
    r"(?:要|想|申请|帮我|给我|能|可以|怎么|如何|求)(?:.{0,6})(?:退货|退款|退换|换货|退掉|(?<!辞)退了|补发|重发|改地址|取消订单)|"
    r"扣了?(?:两|2|多)次|(?:付款|支付|下单).{0,3}(?:失败|不了|不成功|没反应)|下不了单|(?<![对应])付不了|"
    r"订单.{0,10}(?:不见|没了|异常|错了|有问题|查不到|被取消)|(?:优惠)?券.{0,6}(?:用不了|不能用|没到|失效|领不)|"
    r"where.{0,12}(?:order|package|parcel)|(?:not|never|n't).{0,16}(?:arrived|received|shipped|delivered)|"
    r"\b(?:refund|wrong item|missing item|damaged)\b",
)
_COMPLAINT_CHARS: Final = "诉评骗当坑黑假维1协曝智退钱烂差恶失负质垃敏肚坏霉毛虫异期满态管理回说应破abcdefghijklmnopqrstuvwxyz"
_ORDER_CHARS: Final = "收货送退账催递流裹少漏错缺手拆打坏碎裂破扁换补重改消扣付单券abcdefghijklmnopqrstuvwxyz"
_QUESTION_CHARS: Final = "问教助解道咨怎何什啥咋多几哪谁不没否吗么呢?帮烦求链人abcdefghijklmnopqrstuvwxyz"
"""Complaints, troubles with orders, questions: each holds one of its characters. Many messages hold none and are done with."""
_ASKS: Final = _beginning(
    "为么什会何几发可吗咋咨哪啥多好如对帮怎想是有求用给能行要请谁贵还问难需麻?acdhinpsw",
    r"请问|请教|求问|求助|求解|想问|想请教|想知道|想咨询|问一下|问下|问问|咨询(?:一下|下)?|"
    r"怎么(?!这么|那么|都|也|可能|能这|说呢|会有|就|老|又)|怎样|如何(?!都)|为什么|为啥|咋(?!这么|那么)|为何|何时|何种|"
    r"(?<!没)(?<!差不)多少(?!都|也|有点|会)|多久|多大|多长|多重|(?<![好十这那])几(?:点|号|天|岁|个月|件|片|次|块|斤|度|折|月)(?!了?(?:下来|后|前))|"
    r"哪(?:里(?!哪里)|儿|个|款|种|家|些|位|天)(?!都|也)|啥时候?|(?<!没)什么(?!都|也|的|鬼|呀$|啊$|嘛$|玩意)|谁(?:有|知道|能|会|买过|用过|家有)|"
    r"([能会要行对用多贵难是])不\1|可不可以|有没有(?!搞错)|需不需要|好不好[用吃看喝用]|能否|是否|"
    r"(?:可以|能|有|会|要|好)[^，。,.!?]{0,8}(?:不|没|没有|否)[\W_]*$|"
    r"(?:吗|么)(?=[\W_]*$|[?,，。!])|(?:还有|有)(?:.{0,6})(?:吗|没$|没有$)|(?<=\w\w)\?|"
    r"帮我(?!砍|点|助力|投|拼)|麻烦(?:您|你|老师|客服)?(?:帮|看|查|发|给|问)|求(?:链接|推荐|资源|地址|分享|教程)|(?:发|给)(?:个|一下|下|我)链接|有人(?:知道|能)|"
    r"\b(?:please help|help me|i need (?:help|to)|i want to|i(?:'d| would) like to|how (?:do|can|to|long|much|many|come)|"
    r"what (?:is|are|do|does|if|should)|(?:not|n't) work(?:ing)?)\b|"
    r"^(?:how|what|why|when|where|who|which|can|could|does|do|is|are|should|any(?:one|body))\b.{2}",
)
_SHORT_TAG: Final = re.compile(r"^[^在还正着才刚都也]{2,6}呢[\W_]*$")
"""价格呢, 链接呢: a short noun with 呢 asks; 我在开车呢 tells."""
_RHETORIC: Final = re.compile(
    r"^[\W_]*(?:哈|嘿|呵|唉|哇|啊|哦|噢|额|呃|嗯|好|我去|天哪|天啊|妈呀|原来|难怪|怪不得)*[\W_]*(?:"
    r"是吧|对吧|好吧|行吧|真的[吗嘛么]|真的假的|是[吗嘛么]|对不对|不是[吗嘛么]|不会吧|至于[吗嘛么]|不至于吧|吃了[吗么没]|睡了[吗么没]|起了[吗么没]|"
    r"什么鬼|什么情况|怎么会|怎么可能|怎么说呢|怎么办呢|你说呢|何必呢|凭什么|为什么不呢|有没有搞错|谁知道呢?|谁不[^?]{1,6}|搞什么|这还用问|可不是[吗嘛么]|"
    r"是不是很[^?]{1,8}|有没有同感|多好啊?|好看[吧吗]|(?:really|seriously|right|isn.t it|you know)"
    r")[\W_哈呀啊呢]*$"
)
_CLOSING: Final = re.compile(
    r"小姐姐|小哥哥|小助理|小助手|老师|群主|客服|管理员|大家|宝子们?|亲爱的|亲们?|姐妹们?|辛苦了?|麻烦了?|谢谢|多谢|感谢|感恩|谢了?|收到|知道了?|明白了?|懂了|"
    r"了解了?|清楚了?|好的|好嘞|好滴|好哒|好吧|好呀|好啊|好|可以的?|行的?|没问题|没事儿?|不客气|不用谢|应该的|嗯|恩|哦|噢|喔|哈|嘻|嘿|呵|呢|呀|啊|吧|啦|了|哒|滴|的|呐|哟|"
    r"早上好|上午好|中午好|下午好|晚上好|大家好|你好|您好|早安|午安|晚安|早|棒|赞|厉害|真的|非常|太|你们?|您|我们?|"
    r"thankyou|thanks|thank|thx|okay|ok|got|gotit|it|you|verymuch|verygood|good|great|nice|cool|hello|hi|morning|bye|yes|yep|no|sure|fine|lol|haha|ha|alot|so|much|very|all"
)
_WITHDRAWN: Final = re.compile(
    r"(?:不用|不必|不需要)(?:了|回|管)|(?:已经|问题|自己|都)?(?:解决|搞定|弄好|找到|查到|看到|处理好|收到货|退好)了(?![吗没么?])|没事了|当我没(?:说|问)|"
    r"问错|发错了?群|never ?mind|(?:solved|found it|figured it out|works now)"
)
_HOLDING: Final = re.compile(
    r"稍等|稍后|稍候|等(?:一)?下|等我|马上(?:来|查|看|问|处理|回|帮|给)|"
    r"(?:去|帮|来|先|正在|这就|马上)?(?:你|您|亲)?(?:问|查|看|核实|确认|反馈|了解)(?:一下|下|看)|"
    r"帮(?:你|您|亲).{0,3}(?:问|查|看|核实|确认|催)|正在(?:核实|查|确认|处理|跟进)|"
    r"one moment|let me (?:check|ask|see)|hold on|just a (?:sec|moment)"
)
_HOLDING_CHARS: Final = 36
_TOGETHER: Final = re.compile(r"统一(?:回复|回答|说明|解答)|一起(?:回复|回答|说)|集中(?:回复|回答|答复)")
_WELCOME: Final = re.compile(r"欢迎|迎新|welcome")
_NOTICE: Final = re.compile(r"^\s*(?:【|📢|🔔|⏰|\[?(?:公告|通知|预告|提醒|群规|活动)[\]】:]?)|https?://")
_NOTICE_CHARS: Final = 220
_COMPLAINT_HINT: Final = re.compile(f"[{_COMPLAINT_CHARS}]")
_ORDER_HINT: Final = re.compile(f"[{_ORDER_CHARS}]")
_QUESTION_HINT: Final = re.compile(f"[{_QUESTION_CHARS}]")
_ENOUGH: Final = 2
"""A question has this many letters or characters at least."""


def _any_hint() -> re.Pattern[str]:
    """Return what finds in a text as written, not yet folded, any of the characters above in any spelling."""
    hints = {*_COMPLAINT_CHARS, *_ORDER_CHARS, *_QUESTION_CHARS}
    spellings = [code for code, folded in fold_table().items() if not hints.isdisjoint(folded)]
    return re.compile(f"[{characters([*spellings, *map(ord, hints)])}A-Z]")


_ANY_HINT: Final = _any_hint()

Tone = Literal["closing", "withdrawn", "other"]


class Asked(NamedTuple):
    """Why words need an answer, and where they stand in the folded text."""

    need: Need
    start: int
    end: int


def asked(views: Views) -> Asked | None:
    """Return what the words of a message ask for; None when they ask for nothing. Whom they are said to is not looked at."""
    if _ANY_HINT.search(views.text) is None:
        return None
    known = views.memo.get(asked, views)  # `views` = not looked at yet
    if known is views:
        known = views.memo[asked] = _read(views)
    return known  # type: ignore[return-value]  # what `_read` said


def _read(views: Views) -> Asked | None:
    if len(views.stripped) < _ENOUGH:
        return None
    text = views.folded[:MAX_TROUBLE_CHARS]
    complaint = _COMPLAINT_HINT.search(text) and _COMPLAINT.search(text)
    if complaint:
        return Asked("complaint", *complaint.span())
    order = _ORDER_HINT.search(text) and _ORDER.search(text)
    if order:
        return Asked("order_trouble", *order.span())
    return _question(text)


def _question(text: str) -> Asked | None:
    text = text[:MAX_ASK_CHARS]
    if _QUESTION_HINT.search(text) is None:
        return None
    found = _ASKS.search(text) or _SHORT_TAG.search(text)
    if found is None or (found[0] == "?" and "://" in text[: found.start()][-200:]) or _RHETORIC.search(text):
        return None
    return Asked("question", *found.span())


def tone(views: Views) -> Tone:
    """Tell whether a message only closes or greets (谢谢, 好的, 早上好, an emoji), or says that the matter is settled."""
    stripped = views.stripped
    if len(stripped) <= 24 and not _CLOSING.sub("", stripped):
        return "closing"
    if len(stripped) <= 40 and _WITHDRAWN.search(views.folded):
        return "withdrawn"
    return "other"


def is_holding(views: Views) -> bool:
    """Tell whether an answer only asks for patience (稍等，我问一下)."""
    return len(views.stripped) <= _HOLDING_CHARS and bool(_HOLDING.search(views.folded))


def is_notice(views: Views) -> bool:
    """Tell whether a colleague's line speaks to the whole group (a notice, a link, a long post) rather than to somebody."""
    return len(views.text) > _NOTICE_CHARS or bool(_NOTICE.search(views.text))


def is_welcome(views: Views) -> bool:
    """Tell whether a colleague welcomes newcomers."""
    return bool(_WELCOME.search(views.folded))


def answers_all(views: Views) -> bool:
    """Tell whether a colleague says that everybody is answered at once (统一回复)."""
    return bool(_TOGETHER.search(views.folded))
