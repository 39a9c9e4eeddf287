"""读书会: reading together and learning."""

from __future__ import annotations

from typing import Final

from .phrases import Theme, compile_phrases, compile_products, compile_questions

THEME: Final = Theme(
    key="reading",
    community="读书会",
    stem="春风读书会",
    hours={6: 1.5, 7: 1.4, 12: 0.8, 21: 1.8, 22: 1.6},
    order_rate=0.6,
    slots={
        "book": ("《红楼梦》", "《边城》", "《平凡的世界》", "《呼兰河传》", "《活着》", "《围城》", "《乡土中国》"),
        "p": ("共读年卡", "写作训练营", "读书笔记本", "亲子阅读课", "经典套装"),
        "chapter": ("第一章", "第三章", "第五章", "第七回", "后记", "前言"),
        "who": ("翠翠", "林黛玉", "孙少平", "方鸿渐", "萧红", "福贵"),
    },
    products=compile_products("DS", """
        共读年卡 365
        21 天写作训练营 199
        布面读书笔记本 39
        亲子阅读课 12 节 269
        现代文学经典套装 158
        思维导图入门课 59
    """),
    starters=compile_phrases("""
        {book}{chapter}读完了，意难平
        {who}这个人物怎么看
        同一段读了 {n} 遍，每次感受不一样
        纸质书和电子书你们站哪边
        {when}在书店坐了一下午
        读不进去的时候怎么办
        {book}的开头写得太好了
        共读进度到{chapter}，没跟上的举手
        分享一句今天划线的：日子是一天一天过出来的
        {kin}问我读书有什么用
        孩子开始自己看{book}了
        有人听播客吗，推荐几个
        年初定的 {n}0 本，现在读了 {n} 本
    """),
    answers=compile_phrases("""
        {who}其实是时代的缩影
        {chapter}那段我也划了线
        我更喜欢{book}
        慢慢读，不赶进度
        同意楼上，补充一点，环境描写很关键
        我有不同看法，{who}没得选
        先看一遍再看导读
        早起半小时最读得进去
        笔记借我抄抄
        听老师讲完豁然开朗
        这个角度没想过
        读第二遍才懂
    """),
    questions=compile_questions("""
        这周读到{chapter}吗？ => 对，周日前读到{chapter}，周日晚 9 点讨论
        {book}哪个版本好 => 人民文学社的注释全，群里也能拼团买
        直播回放在哪里看？ => 小程序“我的课程”里，保留 30 天
        训练营可以请假吗 => 可以，两周内补交作业都算完成
        打卡忘记了还能补吗？ => 每月有三次补卡，私信小助手
        年卡包括亲子课吗 => 不包括，不过年卡会员买亲子课打八折
        作业交到哪里 => 发到作业小程序，老师两天内点评
        孩子{n}岁适合读什么？ => 先从绘本和桥梁书开始，书单我发您
    """),
    checkins=compile_phrases("""
        {book}{chapter}打卡
        晨读打卡第 {n} 天，{n}0 页
        今日摘抄打卡
        完成{chapter}笔记一篇
    """),
    promotions=compile_phrases("""
        【新课】{p}开始预约，老会员立减
        {p}最后 {n} 个名额，今晚截止
        共读书目{book}团购，{n}0 本起发
    """),
    topics=compile_phrases("""
        今晚 9 点共读：{book}{chapter}，请先看完
        讨论题：如果你是{who}，你会怎么选？
        本周书评征集，优秀的送{p}
    """),
)  # fmt: skip
