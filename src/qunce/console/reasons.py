"""Say in the page's language why a row or a file could not be used; the connectors say it in English, with a stable code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from qunce.console.formats import english

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

ROWS: Final[dict[str, tuple[_StrPromise, _StrPromise]]] = {
    "bad_time": (_("时间看不懂。"), _("写成 2024-02-01 10:05:00，或带时区的 ISO 8601，或时间戳。")),
    "too_old": (_("时间早于 2000 年。"), _("改正这一行的时间。")),
    "future_time": (_("时间在未来。"), _("改正时间，或改选文件的时区。")),
    "bad_json": (_("不是完整的 JSON。"), _("补全这一行，或重新导出。")),
    "bad_row": (_("这一行缺少要紧的内容。"), _("补上缺的列，或去掉这一行。")),
    "bad_event": (_("这一行的内容前后不符。"), _("重新导出，或去掉这一行。")),
    "bad_encoding": (_("编码看不懂。"), _("把文件另存为 UTF-8。")),
    "no_sender": (_("没有写明是谁。"), _("补上发送人或群。")),
    "too_long": (_("这一行太长。"), _("缩短文字，或拆成几行。")),
    "bad_id": (_("编号太长。"), _("改正这一行的编号。")),
    "bad_amount": (_("金额看不懂。"), _("金额写成 12.50 这样的数字。")),
    "refunded": (_("退款对不上订单。"), _("核对订单号和金额。")),
    "split_order": (_("同一张订单散在不同的地方。"), _("把同一张订单的行放在一起。")),
}
FILES: Final[dict[str, tuple[_StrPromise, _StrPromise]]] = {
    "unknown_format": (_("认不出这是什么格式。"), _("看看导入页里认得的格式，或在“更多选项”里指定一种。")),
    "unreadable": (_("文件损坏、不完整，或编码看不懂。"), _("重新导出，或另存为 UTF-8 再试。")),
    "hostile": (_("为了安全没有打开：压缩包异常，或超过了限制。"), _("解压后分成小一点的文件再导入。")),
    "ambiguous": (_("有一处拿不准，需要您指定。"), _("在“更多选项”里选好日期的顺序或群名。")),
}


def row_reason(sample: Mapping[str, str]) -> tuple[str, str]:
    """Return reason and fix of a rejected row."""
    return _said(ROWS, sample.get("code", ""), sample.get("reason", ""), sample.get("fix", ""))


def file_reason(file: Mapping[str, str]) -> tuple[str, str]:
    """Return reason and fix of a refused file."""
    return _said(FILES, file.get("refused_code", ""), file.get("refused", ""), file.get("fix", ""))


def _said(known: Mapping[str, tuple[_StrPromise, _StrPromise]], code: str, reason: str, fix: str) -> tuple[str, str]:
    # The English original is the more exact one; other languages get the sense of its code.
    if english() or code not in known:
        return reason, fix
    return str(known[code][0]), str(known[code][1])
