"""Which line of a page is its title where several could be."""

from __future__ import annotations

from datetime import UTC, datetime

from wuhu_crawler.extract.page import extract
from wuhu_crawler.items import Article
from wuhu_crawler.portals import load_portal

NOW = datetime(2024, 5, 1, 4, 0, tzinfo=UTC)
BODY = "<p>镜湖边的老码头昨天重新开放，第一批游船在上午九点离岸，不少市民一早就来排队。</p>" * 3


def read(head: str) -> Article:
    page = f"<title>镜湖老码头重新开放_江城在线</title><div>{head}<div>{BODY}</div></div>"
    item = extract(page.encode(), url="http://www.o553.cn/news/Info.asp?ID=7", captured_at=NOW, portal=load_portal("o553")).item
    assert isinstance(item, Article)
    return item


def test_a_heading_that_links_to_its_own_page_is_the_title() -> None:
    assert (
        read("<p>相册 留言</p><h2><a href='?ID=7'>镜湖老码头重新开放</a></h2><p>2024-04-30</p>").title == "镜湖老码头重新开放"
    )


def test_a_linked_heading_that_the_title_element_does_not_name_is_none() -> None:
    head = "<h2><a href='/a'>第二码头年底动工开建</a></h2><p>镜湖老码头重新开放</p><p>2024-04-30</p>"
    assert read(head).title == "镜湖老码头重新开放"


def test_a_title_far_above_the_date() -> None:
    share = "".join(f"<li><a href='/s{n}'>分享{n}</a></li>" for n in range(30))
    article = read(f"<h1>镜湖老码头重新开放</h1><ul>{share}</ul><p>2024-04-30</p>")
    assert article.title == "镜湖老码头重新开放"
    assert article.evidence["title"].rule == "heading the title element begins with"


def test_the_sites_name_in_a_heading_is_no_title() -> None:
    page = read("<h1>江城在线</h1><p>镜湖老码头重新开放</p><p>2024-04-30</p>")
    assert page.title == "镜湖老码头重新开放"


def test_a_title_shorter_than_the_sites_name_is_one() -> None:
    page = (
        "<title>停水通知 - 江城市人民政府门户网站</title><p><b>江城市人民政府门户网站</b></p><p>停水通知</p><p>2024-04-30</p>"
        + BODY
    )
    item = extract(page.encode(), url="http://www.o553.cn/news/Info.asp?ID=7", captured_at=NOW, portal=load_portal("o553")).item
    assert isinstance(item, Article)
    assert item.title == "停水通知"
