"""What is no article although the server answered: HTTP statuses, soft-404s, portal errors, blocks."""

from __future__ import annotations

import pytest

from wuhu_crawler.extract.missing import SUBSTANCE, by_status, by_words

STATUSES = {
    404: "missing",
    410: "missing",
    403: "blocked",
    429: "blocked",
    500: "error",
    502: "error",
    503: "error",
    400: "error",
    200: None,
    206: None,
    304: None,
}
WORDS = {
    "找不到内容": "missing",
    "该信息不存在！": "missing",
    "访问错误，找不到网页！": "missing",
    "未过审": "missing",
    "错误信息\n产生错误的可能原因：\n您要查看的文章已被删除": "missing",
    "对不起，该文章已被管理员删除！": "missing",
    "参数错误": "missing",
    "非法ID": "missing",
    "没有找到相关信息": "missing",
    "您要查看的信息已过期": "missing",
    "对不起，您访问的页面不存在": "missing",
    "数据库连接出错，请检查连接字串。": "error",
    "Microsoft VBScript 运行时错误 错误 '800a000d'\n类型不匹配": "error",
    "ADODB.Field 错误 '80020009'\nBOF 或 EOF 中有一个是“真”": "error",
    "Microsoft OLE DB Provider for ODBC Drivers 错误 '80040e14'": "error",
    "Active Server Pages 错误 'ASP 0113'\n脚本超时": "error",
    "Server Error in '/' Application.": "error",
    "Service Unavailable": "error",
    "": "error",
    "  \n ": "error",
    "间隔3秒,资源宝贵,请不要重复频繁刷新": "blocked",
    "您的访问过于频繁，请稍后再试": "blocked",
    "您的IP已被禁止访问": "blocked",
    "您的请求带有不合法参数，已被网站管理员设置拦截！": "blocked",
    "403 Forbidden Access Denied": "blocked",
    "芜湖长江大桥昨日通车，市民纷纷前往参观。": None,
    "共 0 条": None,
}
ALERTS = {
    "alert('参数错误');history.back()": "missing",
    'window.alert("该新闻不存在")': "missing",
    "alert ( '数据库连接出错' )": "error",
    "alert('间隔3秒,资源宝贵,请不要重复频繁刷新');history.back();": "blocked",
    "alert('权限不足');": "missing",
    "document.write('x')": "error",
}
PROSE = "施工队说，新路灯比原来省电四成，坏了会自己报修。\n" * 20


@pytest.mark.parametrize("status", STATUSES)
def test_status(status: int) -> None:
    found = by_status(status)
    assert (found.kind if found else None) == STATUSES[status]
    assert found is None or str(status) in found.reason


@pytest.mark.parametrize("text", WORDS)
def test_words(text: str) -> None:
    found = by_words(text, "", 0)
    assert (found.kind if found else None) == WORDS[text]
    assert found is None or found.reason


@pytest.mark.parametrize("script", ALERTS)
def test_a_script_alone(script: str) -> None:
    found = by_words("", script, 0)
    assert found is not None
    assert found.kind == ALERTS[script]


@pytest.mark.parametrize("words", ["该信息不存在", "参数错误", "网站防火墙", "访问过于频繁", "数据库错误"])
def test_an_article_may_speak_of_it(words: str) -> None:
    assert by_words(f"居民反映，网上查询时常常提示{words}。\n{PROSE}", "", SUBSTANCE + 1) is None


@pytest.mark.parametrize(
    "words",
    [
        "Microsoft VBScript 运行时错误 错误 '800a000d'",
        "ADODB.Field 错误 '80020009'",
        "Microsoft OLE DB Provider for ODBC Drivers 错误 '80040e14'",
    ],
)
def test_an_error_at_the_end_of_an_article_is_an_error(words: str) -> None:
    found = by_words(f"{PROSE}{words}\n/news/Info.asp，行 88", "", SUBSTANCE + 1)
    assert found is not None
    assert found.kind == "error"


def test_a_form_check_of_a_real_page_is_no_alert() -> None:
    assert by_words(PROSE, "function check(){ alert('请输入关键字'); }", SUBSTANCE + 1) is None


def test_a_database_error_is_never_missing() -> None:
    found = by_words("数据库连接出错，请检查连接字串。该信息不存在！", "", 0)
    assert found is not None
    assert found.kind == "error"


def test_a_portals_own_words_for_an_article_that_is_gone() -> None:
    assert by_words("本条消息已撤回", "", 0) is None
    found = by_words("提示：本条消息已撤回", "", 0, ("本条消息已撤回",))
    assert found
    assert (found.kind, found.reason) == ("missing", "soft 404: 本条消息已撤回")
    assert by_words("本条消息已撤回", "", SUBSTANCE, ("本条消息已撤回",)) is None  # an article may say so
