"""晨跑团: running and the outdoors."""

from __future__ import annotations

from typing import Final

from .phrases import Theme, compile_phrases, compile_products, compile_questions

THEME: Final = Theme(
    key="running",
    community="晨跑团",
    stem="春风晨跑团",
    hours={5: 8.0, 6: 9.0, 7: 4.0, 8: 1.8, 19: 1.4, 23: 0.5},
    order_rate=0.7,
    slots={
        "p": ("缓震跑鞋", "速干 T 恤", "压缩腿套", "跑步腰包", "登山杖", "冲锋衣"),
        "km": ("3", "5", "6.2", "8", "10", "12", "15", "21"),
        "pace": ("5 分 30", "6 分整", "6 分 20", "7 分", "4 分 50"),
        "place": ("滨江步道", "奥体公园", "环湖绿道", "东山", "植物园", "古城墙"),
    },
    products=compile_products("PB", """
        缓震跑鞋 499
        速干 T 恤 119
        压缩腿套 99
        跑步腰包 69
        碳纤登山杖一对 259
        三合一冲锋衣 599
        运动补给礼包 79
    """),
    starters=compile_phrases("""
        今早{place} {km} 公里，配速 {pace}
        膝盖有点疼，是不是跑姿不对
        周末{place}有一起的吗
        {weather}天跑步穿什么
        第一次跑完 {km} 公里，纪念一下
        报了{city}马拉松，求中签
        跑鞋跑了 {n}00 公里该换了吧
        起不来，闹钟响了 {n} 遍
        {place}的桂花开了
        越野赛的装备清单谁有
        心率老是上 170，正常吗
        今天拉伸做了二十分钟，舒服
    """),
    answers=compile_phrases("""
        配速 {pace} 很稳了
        先降量，膝盖要紧
        {place}约起来
        跑前热身不能省
        我 {km} 公里都费劲
        大神带带我
        落脚轻一点，步频提到 180
        跑完记得补水
        明早 6 点{place}门口见
        慢慢来，月跑量一次加一成
        向你学习
        下次一起刷{place}
    """),
    questions=compile_questions("""
        周六的活动在哪里集合？ => {place}南门，6 点整，迟到不候
        新手一周跑几次合适 => 三次，每次半小时，隔天休息
        {p}脚宽能穿吗？ => 有宽楦版，选大半码
        下雨还跑吗 => 小雨照常，大雨取消，5 点半看群通知
        训练营怎么报名 => 群公告接龙，名字加目标公里数
        补给什么时候吃？ => 跑前半小时一根香蕉，超过 10 公里每 40 分钟一支胶
        活动有没有保险？ => 有的，报名时填身份证号会统一买
        {km} 公里要跑多久 => 按配速 {pace} 算一下，新手别看时间，能说话就行
    """),
    checkins=compile_phrases("""
        晨跑打卡 {km} 公里，{pace}
        {place} {km} km 打卡
        打卡第 {n} 天，{km} 公里
        力量训练打卡
    """),
    promotions=compile_phrases("""
        {p}团购，凑 {n}0 双工厂价
        【装备日】{p}会员八折，支持七天试穿
        跑友福利：{p}加送速干袜
    """),
    topics=compile_phrases("""
        周六{place}拉练 {km} 公里，接龙报名
        本月跑量榜出炉，前三名送{p}
        聊聊你的第一双跑鞋
    """),
)  # fmt: skip
