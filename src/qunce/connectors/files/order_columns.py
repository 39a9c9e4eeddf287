"""Know the columns of order files by their many names, and the words for an order's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from qunce.connectors.files.tables import plain

Status = Literal["created", "paid", "refunded", "closed"]

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": (
        "time", "ts", "paid_at", "order_time", "ordered_at", "created_at", "order_date", "date", "datetime", "timestamp",
        "invoice_ts",
        "invoice_date", "下单时间", "付款时间", "支付时间", "订单付款时间", "订单创建时间", "创建时间", "成交时间",
        "交易时间", "时间", "日期",
    ),
    "buyer": (
        "buyer_id", "buyer", "customer_id", "user_id", "member_id", "customer", "user", "买家ID",
        "会员ID", "用户ID",
        "客户ID", "external_userid", "买家", "买家会员名", "买家账号", "买家昵称", "手机号", "手机号码", "联系手机",
        "收货人手机", "手机", "电话", "phone", "mobile",
        "会员", "客户", "用户", "收货人",
    ),
    "buyer_name": ("buyer_name", "customer_name", "user_name", "nickname", "买家昵称", "昵称", "会员昵称", "客户名称",
    "收货人姓名", "收货人", "姓名"),
    "order_id": ("order_id", "order_no", "order", "trade_no", "tid", "invoice_no", "订单号", "订单编号", "订单ID", "交易号",
    "主订单编号"),
    "total": (
        "total", "order_total", "paid_amount", "实付", "实付金额", "实付款", "买家实付金额", "买家实际支付金额", "订单金额",
        "订单总额", "总金额",
        "应付金额",
    ),
    "amount": ("amount", "amount_usd", "amount_cny", "price", "line_total", "subtotal", "金额", "小计", "成交金额",
    "支付金额"),
    "unit_price": ("unit_price", "单价", "商品单价"),
    "quantity": ("quantity", "qty", "count", "数量", "商品数量", "购买数量"),
    "currency": ("currency", "币种", "货币"),
    "items": ("items", "item", "product", "product_name", "description", "title", "商品", "商品名称", "宝贝标题",
    "商品标题", "货品"),
    "sku": ("sku", "stock_code", "product_id", "item_id", "商品编码", "商家编码", "货号", "SKU"),
    "status": ("status", "order_status", "state", "状态", "订单状态", "交易状态"),
    "platform": ("platform", "shop", "平台", "店铺平台"),
    "phone": (
        "buyer_phone", "customer_phone", "手机号", "手机号码", "联系手机", "收货人手机", "手机", "电话", "phone", "mobile",
    ),
    "unionid": ("unionid", "union_id"),
    "external_userid": ("external_userid", "external_user_id"),
    "email": ("buyer_email", "customer_email", "email", "邮箱"),
    "crm": ("crm_id", "crm", "会员编号"),
}  # fmt: skip

KEYS: Final = ("phone", "unionid", "external_userid", "email", "crm")
"""Columns whose values tell that two accounts are one person's."""


def key_of_buyer(columns: Mapping[str, str]) -> str | None:
    """Return which kind of key the column of buyers holds itself; None = an account's name or number."""
    spelt = plain(columns.get("buyer", ""))
    return next((kind for kind in KEYS if spelt in {plain(name) for name in COLUMNS[kind]}), None)


STATUSES: Final[Mapping[Status, tuple[str, ...]]] = {
    "created": (
        "created", "pending", "unpaid", "new", "待付款", "未付款", "未支付", "待支付", "已下单", "已创建", "等待买家付款",
    ),
    "paid": (
        "paid", "completed", "complete", "success", "succeeded", "finished", "shipped", "delivered", "fulfilled",
        "processing", "已付款",
        "已支付", "支付成功", "待发货", "已发货", "已收货", "已签收", "已完成", "完成", "成功", "交易成功", "交易完成",
        "买家已付款",
        "卖家已发货", "等待卖家发货", "待收货", "待评价", "已评价",
    ),
    "refunded": ("refunded", "refund", "returned", "partially_refunded", "已退款", "退款成功", "退款", "已退货", "退货退款",
    "退款完成"),
    "closed": ("closed", "cancelled", "canceled", "void", "expired", "failed", "已关闭", "交易关闭", "已取消", "取消",
    "关闭", "已作废"),
}  # fmt: skip
_BY_WORD: Final[Mapping[str, Status]] = {word: status for status, words in STATUSES.items() for word in words}


def read_status(word: str) -> Status | None:
    """Return the status a word stands for; None for an unknown one."""
    return _BY_WORD.get(word.strip().lower().replace(" ", "_"))


def implied_currency(columns: Mapping[str, str]) -> str:
    """Return the currency of a file that states none: the amount column's ending, GBP for the UCI Online Retail, else CNY."""
    amount = columns.get("amount", "").lower()
    if amount.endswith("_usd"):
        return "USD"
    is_online_retail = columns.get("order_id") == "invoice_no" and columns.get("sku") == "stock_code"
    return "GBP" if is_online_retail and columns.get("unit_price") == "unit_price" else "CNY"
