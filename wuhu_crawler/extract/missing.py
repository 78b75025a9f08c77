"""What is no article although the server said 200: missing pages, error pages, blocks. Named tables, grown by fixtures.

A database error is no proof that an article is gone, so `error` and `missing` are kept apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..items import OtherKind

# Read against everything a page says (visible text, and scripts when there is hardly any text).
BLOCKED = (
    r"资源宝贵.{0,10}(?:频繁|刷新)", r"请不要重复频繁刷新", r"访问过于频繁", r"操作过于频繁", r"请求过于频繁",
    r"刷新过(?:快|于频繁)", r"间隔\s*\d+\s*秒", r"您的?IP.{0,12}(?:禁止|封|限制|屏蔽)",
    r"请输入验证码.{0,12}(?:访问|继续)", r"访问被拒绝", r"(?:已被|被)(?:防火墙|安全狗|云盾|护卫神).{0,6}拦截", r"网站防火墙",
    r"您的请求带有不合法参数", r"安全验证", r"人机验证", r"Access Denied",
)  # fmt: skip
ERRORS = (
    r"(?:Microsoft\s+)?(?:VBScript|JScript)\s*(?:运行时|编译器)?\s*(?:错误|error)", r"ADODB\.\w+\s*(?:错误|error)?",
    r"Microsoft\s+OLE\s+DB\s+Provider", r"Microsoft\s+JET\s+Database", r"\[Microsoft\]\[ODBC",
    r"数据库连接(?:出错|失败|错误)", r"请检查连接字串", r"数据库(?:出错|错误|忙)", r"800a[0-9a-f]{4}", r"8004[0-9a-f]{4}",
    r"8002[0-9a-f]{4}", r"BOF\s*或\s*EOF\s*中有一个", r"Active Server Pages(?:,)?\s*ASP\s*\d{4}",
    r"服务器(?:内部)?(?:错误|忙|繁忙)", r"Server Error in", r"Internal Server Error", r"系统(?:错误|维护|升级)中?",
    r"网站(?:维护|升级)中", r"HTTP Error 5\d\d", r"Service Unavailable", r"Bad Gateway", r"脚本超时",
)  # fmt: skip
MISSING = (
    r"找不到(?:该|此|您?要?(?:找|访问)的?)?(?:内容|页面|网页|文章|信息|记录|相关)",
    r"(?:该|此|本|您(?:要|所)?(?:查看|访问|浏览|查找)的)(?:信息|文章|新闻|页面|网页|内容|记录|资讯|帖子).{0,6}(?:不存在|已(?:被)?删除|已(?:经)?(?:下线|过期|关闭)|没有找到)",
    r"(?:信息|文章|新闻|页面|网页|内容|记录|资讯)(?:不存在|已(?:被)?(?:管理员)?删除)",
    r"参数(?:错误|不正确|有误|非法|丢失|出错)", r"非法(?:参数|操作|的?ID)", r"错误的?参数", r"访问错误",
    r"没有(?:找到|这条|此条|该条|任何|相关|符合|的)+(?:信息|文章|新闻|记录|内容)",
    r"未过审", r"未(?:通过)?审核", r"尚未审核", r"暂无(?:此|该|相关)?(?:信息|文章|内容|记录)",
    r"无法找到(?:该|此)?(?:页|网页|页面|文件|资源)", r"404\s*(?:错误|Not Found|-)",
    r"对不起[，,]?.{0,12}(?:不存在|没有找到|已删除)", r"产生错误的可能原因",
)  # fmt: skip
_BLOCKED, _ERRORS, _MISSING = (re.compile("|".join(table), re.I) for table in (BLOCKED, ERRORS, MISSING))
# Asked first: no error words without one of these.
_ERROR_HINT = re.compile("错|误|[Ee]rror|80[04]|ADODB|ODBC|OLE|数据库|服务器|系统|网站|Unavailable|Gateway|超时|BOF|ASP")
_ALERT = re.compile(r"alert\s*\(\s*[\"']([^\"']{1,200})[\"']\s*\)")
_WORDS_AROUND = 60
# A page with more prose than this is judged by its article, unless the words stand at its very end (a script that died).
SUBSTANCE = 300
_TAIL = 400


@dataclass(frozen=True, slots=True)
class NotThere:
    """Why a page is no article: its kind, the words that say so, and the table they are from."""

    kind: OtherKind
    reason: str
    words: str


def by_status(status: int) -> NotThere | None:
    """Return what an HTTP status alone says (RFC 9110), or None when the page must be read."""
    if status in (404, 410):
        return NotThere("missing", f"HTTP {status}", str(status))
    if status in (401, 403, 407, 429, 451):
        return NotThere("blocked", f"HTTP {status}", str(status))
    if status >= 500 or status in (400, 405, 406, 408):
        return NotThere("error", f"HTTP {status}", str(status))
    return None


def by_words(visible: str, scripts: str, prose: float, own: tuple[str, ...] = ()) -> NotThere | None:
    """Return what the page's words say: `visible` its text, `scripts` its inline scripts, `prose` how much body it has, `own`
    the words by which this portal says that there is no such article."""
    tail = visible[-_TAIL:]
    if _ERROR_HINT.search(tail) and (found := _ERRORS.search(tail)):
        return NotThere("error", f"portal error: {_around(tail, found)}", found.group())
    if prose >= SUBSTANCE:
        return None
    alert = _ALERT.search(scripts)
    spoken = alert.group(1) if alert and len(visible) < SUBSTANCE else ""
    for kind, table, name in (
        ("blocked", _BLOCKED, "rate limit or block"),
        ("error", _ERRORS, "portal error"),
        ("missing", _MISSING, "soft 404"),
    ):
        for text in (visible, spoken):
            if found := table.search(text):
                return NotThere(kind, f"{name}: {_around(text, found)}", found.group())  # type: ignore[arg-type]
    for words in own:
        if words in visible or words in spoken:
            return NotThere("missing", f"soft 404: {words}", words)
    if not visible.strip() and not spoken:
        return NotThere("error", "empty page", "")
    if spoken:
        return NotThere("missing", f"alert instead of a page: {spoken}", spoken)
    return None


def _around(text: str, found: re.Match[str]) -> str:
    """The words with a little of what stands around them, on one line."""
    start = max(text.rfind("\n", 0, found.start()) + 1, found.start() - 20)
    return " ".join(text[start : found.end() + _WORDS_AROUND].split("\n", maxsplit=1)[0].split())
