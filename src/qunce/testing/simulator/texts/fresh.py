"""鲜果集: fruit and fresh food, ordered in the group."""

from __future__ import annotations

from typing import Final

from .phrases import Theme, compile_dialogues, compile_phrases, compile_products, compile_questions

THEME: Final = Theme(
    key="fresh",
    community="鲜果集",
    stem="春风鲜果集",
    hours={8: 1.3, 10: 1.5, 11: 1.5, 16: 1.4, 17: 1.5, 18: 1.3, 23: 0.6},
    order_rate=2.4,
    slots={
        "p": ("车厘子", "丹东草莓", "赣南脐橙", "阳光玫瑰", "猕猴桃", "土鸡蛋", "冰糖心苹果", "大闸蟹", "小龙虾"),
        "weight": ("三斤", "五斤", "八斤", "十斤", "两箱"),
        "pickup": ("东门", "南门便利店", "3 栋楼下", "菜鸟驿站", "门卫室"),
    },
    products=compile_products("XG", """
        智利车厘子 2 斤 99.9
        丹东草莓 3 斤 79
        赣南脐橙 10 斤 49.9
        阳光玫瑰 2 串 45
        徐香猕猴桃 5 斤 35.8
        散养土鸡蛋 30 枚 42
        冰糖心苹果 9 斤 55
        大闸蟹 4 对 238
        麻辣小龙虾 2 斤 68
    """),
    starters=compile_phrases("""
        昨天的{p}好甜，孩子吃了一半
        {p}什么时候再有
        今天{weather}，想吃{p}
        {p}{weight}一个人吃得完吗
        超市的{p}贵一倍还不新鲜
        {pickup}的货到了，我看见车了
        {p}怎么放久一点
        团长今天开什么团
        冰箱塞满了，还想买
        有没有人拼{p}，{weight}对半分
        {kin}说上次的{p}比老家的还甜
        晚上做什么菜，没灵感
    """),
    answers=compile_phrases("""
        我要{weight}
        跟一单
        拼！
        {p}放冰箱保鲜层，别洗
        已下单，{pickup}自提
        上次的个头挺大的
        我家两天就吃完了
        给我留一份
        {pickup}有人帮忙带一下吗
        比菜场划算
        今天的不如上次甜
        看图流口水
    """),
    questions=compile_questions("""
        {p}今天能到吗？ => 下午 4 点前到{pickup}，到了群里喊
        自提点在哪里 => {pickup}，报手机尾号就行
        {p}有坏的怎么赔 => 24 小时内拍照，坏几个赔几个，直接退到余额
        {p}{weight}多少钱？ => 群内价看接龙第一条，{weight}包邮
        可以送货上门吗 => 满 59 送到楼下，老人家里我们送上门
        几点截单呀？ => 晚上 10 点截单，次日到
        {p}是哪里产的 => 产地直发，{city}中转，昨天刚摘的
        忘记拿货了，明天去可以吗？ => 可以，已帮您放冷柜，{pickup}
    """),
    checkins=compile_phrases("""
        接龙 {n}. {p}{weight}
        接龙：{p} 1 份，{pickup}
        {p}到货已取，很新鲜
    """),
    promotions=compile_phrases("""
        【今日开团】{p}{weight}，产地直发，接龙走起
        {p}最后 {n} 份，截单前抢
        【清晨到货】{p}刚到{pickup}，现货可加购
    """),
    topics=compile_phrases("""
        投票：明天开{p}还是土鸡蛋？
        晒一晒你家的{p}吃法，送券
        今日菜单：用{p}做一道甜品
    """),
    dialogues=compile_dialogues("""
        {p}多少钱一份 / 看接龙 / 看到了，跟一份 / 我也来{weight}
        今天的{p}有两个坏的 / 拍照发团长，赔的 / 团长刚给我退了 / 处理真快
        {p}甜不甜 / 甜，我家孩子一口气吃了半斤 / 比上次的呢 / 差不多，个头小一点 / 那来{weight}
        谁在{pickup}，帮我拿一下 / 我在，放你家门口？ / 对，谢谢邻居 / 客气
        {p}怎么挑 / 闻一下，有香味的 / 底部软的别要 / 学会了
        快截单了，还有谁要 / 我！{weight} / 加我一份 / 截了截了，明天见
        {p}放了一周还能吃吗 / 没霉没软就行 / 切开看看，有味就扔 / 扔了，心疼
        晚饭用{p}做了个菜，翻车了 / 哈哈发图 / 没脸发 / 火小一点，下次就好
        冷链车堵路上了，晚半小时 / 收到，不急 / {weather}天理解 / 到了喊一声
    """),
)  # fmt: skip
