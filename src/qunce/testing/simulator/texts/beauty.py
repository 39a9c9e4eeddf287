"""美妆研习社: skin care and make-up."""

from __future__ import annotations

from typing import Final

from .phrases import Theme, compile_phrases, compile_products, compile_questions

THEME: Final = Theme(
    key="beauty",
    community="美妆研习社",
    stem="春风美妆研习社",
    hours={12: 1.3, 13: 1.2, 21: 1.3, 22: 1.5, 23: 1.5, 0: 1.4},
    order_rate=1.5,
    slots={
        "skin": ("干皮", "油皮", "混油", "敏感肌", "痘肌", "混干"),
        "p": ("修护精华", "氨基酸洁面", "防晒乳", "气垫", "口红", "补水面膜", "眼霜", "卸妆油"),
        "shade": ("豆沙", "番茄红", "奶茶", "玫瑰棕", "01 号", "象牙白"),
        "ingredient": ("烟酰胺", "视黄醇", "水杨酸", "神经酰胺", "玻尿酸", "维 C"),
    },
    products=compile_products("MZ", """
        修护精华 30 ml 199
        氨基酸洁面 79
        清透防晒乳 SPF50+ 99
        持妆气垫 149
        丝绒口红 89
        玻尿酸补水面膜 10 片 69
        紧致眼霜 168
        温和卸妆油 85
    """),
    starters=compile_phrases("""
        {skin}换季爆皮，救命
        昨晚第一次用{ingredient}，脸有点刺痛
        {shade}黄皮能涂吗，纠结一周了
        通勤妆五分钟搞定，自我感动
        {p}空瓶了，{when}刚回购
        {skin}姐妹的防晒到底选哪个
        {when}面试，求一个不出错的妆
        早 C 晚 A 坚持 {n} 周，分享下对比
        戴口罩闷痘的有没有
        化妆包断舍离，清出 {n} 支口红
        {p}跟{ingredient}能一起用不
        {kin}说我今天气色好，嘿嘿
        直播间那个{p}你们抢到没
        熬夜脸怎么救
    """),
    answers=compile_phrases("""
        {skin}建议先建立耐受，隔天用
        我是{skin}，用着不闷
        {shade}超显白，冲
        {ingredient}晚上用，白天一定要防晒
        先在耳后试一下
        精简护肤，先停几天
        我用{p}，真的稳
        种草了
        这个色号我有，白天很日常
        看成分表就知道了
        不要叠太多，会搓泥
        {p}量要够，不然白搭
    """),
    questions=compile_questions("""
        {skin}能用{p}吗？ => {skin}可以的，先用小样在耳后试两天
        {ingredient}和{p}可以叠加吗 => 可以，先薄后厚，刚开始隔天一次
        气垫{shade}适合什么肤色 => 自然偏白选它，偏黄选深一号
        孕期可以用{p}吗？ => 含视黄醇、水杨酸的先避开，这款成分我发您
        面膜敷完要洗吗 => 精华多的轻拍吸收，觉得粘就清水过一遍
        {p}开封后能放多久？ => 开封 12 个月内用完，放阴凉处
        化妆课怎么报名 => 群里接龙，名字加肤质，满 {n} 人开班
        有没有小样可以试 => 下单备注“小样”，随包裹送两片
        防晒要不要卸？ => 防水型要卸妆，这款普通洁面就能洗干净
    """),
    checkins=compile_phrases("""
        护肤打卡第 {n} 天，{ingredient}
        素颜打卡，{skin}
        面膜打卡
    """),
    promotions=compile_phrases("""
        【群内专享】{p}买一送一，链接只开两小时
        {p}{shade}到货了，上次没抢到的快来
        【试用招募】{p}招 {n} 位体验官，写真实感受就送正装
    """),
    topics=compile_phrases("""
        今晚研习：{skin}怎么选{p}，老师 8 点开讲
        投票：{shade}和素色，你选哪个？
        来晒晒你的空瓶，点赞最多的送{p}
    """),
)  # fmt: skip
