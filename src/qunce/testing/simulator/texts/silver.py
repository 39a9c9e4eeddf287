"""银发乐园: retired people: health, photographs, outings."""

from __future__ import annotations

from typing import Final

from .phrases import Theme, compile_dialogues, compile_phrases, compile_products, compile_questions

THEME: Final = Theme(
    key="silver",
    community="银发乐园",
    stem="春风银发乐园",
    hours={5: 6.0, 6: 5.0, 7: 3.0, 8: 2.0, 9: 1.5, 22: 0.4, 23: 0.2, 0: 0.1},
    order_rate=0.5,
    slots={
        "p": ("中老年奶粉", "足浴桶", "老花镜", "防滑健步鞋", "血压计", "艾草贴"),
        "hobby": ("广场舞", "太极拳", "书法", "摄影", "合唱", "钓鱼", "养花"),
        "place": ("人民公园", "老年大学", "湿地公园", "茶馆", "古镇"),
        "health": ("血压", "睡眠", "膝盖", "血糖", "颈椎", "胃口"),
    },
    products=compile_products("YF", """
        中老年高钙奶粉 99
        恒温足浴桶 269
        防蓝光老花镜 59
        防滑健步鞋 169
        电子血压计 199
        艾草贴 3 盒 49
        古镇一日游 128
    """),
    starters=compile_phrases("""
        各位老友早上好，天气{weather}，注意身体
        今天{hobby}队在{place}集合
        孙子教我发语音，学会了
        {health}最近不太好，老伴陪我去医院
        {place}的花开了，拍了 {n} 张
        退休后第 {n} 年，日子有滋有味
        子女都忙，群里最热闹
        {hobby}比赛得了个奖，高兴
        {when}做了红烧肉，手艺没丢
        有人教教我怎么用手机挂号
        转一个健康知识，大家看看对不对
        老同学四十年没见了，在{place}聚了一回
    """),
    answers=compile_phrases("""
        老哥好样的
        注意保重身体
        拍得真美
        向你学习
        我{health}也不好，坚持走路好多了
        祝健康长寿
        明天{place}见
        {hobby}好，活动筋骨
        我也报名
        慢慢来，不着急
        听医生的，别信偏方
        孩子们放心就好
    """),
    questions=compile_questions("""
        {hobby}班什么时候上课？ => 每周二、周四上午 9 点，{place}二楼
        一日游还有位置吗 => 还有 {n} 个，报姓名和电话，车在{place}接
        {p}怎么用啊，看不懂说明书 => 我录了视频发群里，大字版，您慢慢看
        血压计测得准不准 => 坐五分钟再测，胳膊和心脏一样高，两次取平均
        手机怎么付款？ => 您别急，下午有志愿者在{place}一对一教
        {p}可以货到付款吗 => 可以的，送到家里再付
        报名要交多少钱？ => 会员免费，新朋友 {n} 元材料费
    """),
    checkins=compile_phrases("""
        健步走打卡 {n}000 步
        {hobby}打卡第 {n} 天
        今日{place}打卡，空气好
    """),
    promotions=compile_phrases("""
        【爸妈好物】{p}会员价，包邮到家，不会下单的找客服
        {p}团购，邻居一起买更便宜
        {place}一日游报名，含午餐和保险
    """),
    topics=compile_phrases("""
        今天话题：你最拿手的一道菜
        {hobby}作品展征集，发照片到群里
        健康讲座：怎样保护{health}，周五上午 9 点{place}
    """),
    dialogues=compile_dialogues("""
        {place}的花展开了，去不去 / 去，几点 / 8 点门口见 / 带上相机，给大家拍照 / 好嘞
        手机字太小看不清 / 设置里有大字模式 / 在哪里，找不到 / 设置，显示，字体大小 / 找到了，谢谢老师
        {health}不太好，睡不着 / 晚饭后走一走 / 泡泡脚 / 还不好就去医院查查 / 听你们的
        {hobby}比赛谁报名 / 我 / 算我一个 / 周二一起练练 / 好，{place}见
        有人打电话说我医保卡停了 / 骗子！别信 / 挂掉，打 96110 问 / 差点就信了，谢谢大家 / 群里都当心
        孙女考上大学了 / 恭喜恭喜 / 老哥请客 / 一定一定
        {p}好用吗 / 我买了，子女说挺好 / 就是说明书字小 / 客服有大字版
        今天包了饺子，韭菜鸡蛋的 / 看着就香 / 下次教教我 / 来我家，现包
        老照片翻出来了，四十年前的{place} / 认出来了，门口那棵树还在 / 那时候真年轻 / 现在也不老
    """),
)  # fmt: skip
