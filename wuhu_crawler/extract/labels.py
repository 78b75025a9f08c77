"""The words extraction is anchored on, as named tables. A portal profile may add words to them (`[labels]`).

Chinese labels are data: to teach a new word, add it to its table and a fixture that shows it. Inner spaces (`时　间：`) and
full- or half-width colons need no entry: `label_pattern` allows them everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

PUBLISHED = (
    "发布日期", "发布时间", "发表时间", "发表日期", "发布于", "发表于", "添加时间", "添加日期", "加入时间", "加入日期",
    "录入时间", "录入日期",
    "更新时间", "更新日期", "公布时间", "公布日期", "上传时间", "上传日期", "编辑日期", "编辑时间", "投稿时间", "文章时间",
    "稿件时间", "入库时间",
    "日期", "时间", "發佈日期", "發布時間", "發表時間", "更新時間", "時間",
)  # fmt: skip
VIEWS = (
    "浏览次数", "浏览量", "浏览数", "浏览", "点击次数", "点击率", "点击量", "点击数", "点击", "阅读次数", "阅读量", "阅读数",
    "阅读人次", "阅读",
    "访问次数", "访问量", "人气指数", "人气", "查看次数", "查看", "围观", "关注度", "已浏览", "被阅读", "瀏覽", "點擊",
    "閱讀", "人氣", "次数", "hits", "views",
)  # fmt: skip
SOURCE = (
    "信息来源",
    "本文来源",
    "文章来源",
    "新闻来源",
    "稿件来源",
    "消息来源",
    "资料来源",
    "稿源",
    "来源",
    "出处",
    "转自",
    "摘自",
    "來源",
)
SOURCE_DATE = ("来源时间为", "来源时间", "来源日期为", "来源日期", "原文发布时间", "原文时间", "原稿发布日期", "來源時間為")
POSITION = (
    "您现在的位置", "你现在的位置", "您现在所在的位置", "您现在所处的位置", "您所在的位置", "你所在的位置", "您的当前位置",
    "您的位置", "你的位置",
    "当前位置", "所在位置", "现在位置", "现在的位置", "您当前的位置", "您当前位置", "位置", "您现在的位置是", "您正在浏览",
    "當前位置", "您的位置是",
)  # fmt: skip
HOME = ("首页", "返回首页", "网站首页", "主页", "网站主页", "首頁", "本站首页")
BODY_CRUMB = tuple(
    "正文 内容 阅读 详细内容 内容页 浏览 查看 信息内容 文章内容 新闻内容 详细信息 正文内容 文章正文 新闻正文 内文 "
    "浏览文章 查看文章 阅读文章 浏览新闻 查看新闻 阅读新闻 浏览信息 查看信息 文章阅读 新闻阅读 新闻浏览 文章浏览 "
    "详情 详细 内容浏览 内容阅读 内容详情 新闻详情 文章详情 查看详情 查看内容".split()
)
# Other slots beside title and date; their lines belong to no body.
SLOTS = (
    "作者", "文章作者", "编辑", "责任编辑", "责编", "录入", "录入者", "录入员", "审核", "校对", "记者", "通讯员", "摄影",
    "关键字", "关键词", "标签", "分类", "类别", "栏目", "所属栏目", "所属类别",
    "字号", "字体", "评论", "评论数", "副标题", "稿件作者", "供稿", "供稿作者", "投稿", "投稿人", "发布人", "发布者",
    "发布单位",
    "供稿单位", "信息来源", "索引号", "发布机构", "主题分类", "成文日期", "有效性", "发文字号", "生成日期", "公开日期",
    "信息分类", "内容分类", "发文机关", "文号", "等级", "推荐等级", "文章等级",
)  # fmt: skip
# Lines after which nothing belongs to the article any more.
END = (
    "上一篇", "下一篇", "上一条", "下一条", "上一页：", "上篇", "下篇", "相关文章", "相关新闻", "相关资讯", "相关阅读",
    "相关链接", "相关评论", "相关信息",
    "相关报道", "相关专题", "延伸阅读", "发表评论", "网友评论", "我要评论", "用户评论", "最新评论", "查看评论", "评论内容",
    "推荐阅读", "热门文章", "热点新闻",
    "最新文章", "最新资讯", "最新新闻", "最新信息", "图文推荐", "本栏最新", "本类推荐", "热门推荐", "友情链接", "版权声明",
    "免责声明", "版权所有",
    "返回顶部", "欢迎咨询",
    "特别声明", "郑重声明", "上一则", "下一则", "上一新闻", "下一新闻", "本类热门", "点击排行", "阅读排行", "热门点击",
    "热门新闻",
    "相關文章", "相關新聞", "下一篇：", "没有了", "您看到此篇文章时的感受是", "相关推荐", "推荐新闻", "更多新闻",
    "更多文章", "精彩推荐", "热点推荐", "猜你喜欢", "为您推荐", "大家都在看", "您可能感兴趣", "您可能也喜欢", "网友跟贴",
    "网友跟帖", "文章评论", "查看更多评论", "关键词阅读", "您此时的心情", "上一則", "下一則", "上一條", "下一條",
    "相關報導", "相關閱讀", "相關連結", "延伸閱讀", "推薦閱讀", "推薦文章", "熱門文章", "熱門新聞", "最新新聞", "更多新聞",
    "發表留言", "發表評論", "版權聲明",
)  # fmt: skip
# Buttons: below the article they end it, above it they are passed over.
TOOLS = (
    "关闭窗口", "关闭本页", "关闭此页", "打印本页", "打印此文", "打印此页", "打印文章", "打印本文", "打印", "收藏本页",
    "收藏此页", "加入收藏", "告诉好友",
    "推荐给好友", "分享到", "返回上页", "返回列表", "返回上一页", "关闭", "字号", "字体", "双击",
)  # fmt: skip
# The line behind which an article is over although no end word says so: who edited it (责编：…, 编辑丨…).
EDITORS = ("责任编辑", "责编", "编辑", "本文编辑", "网络编辑", "网站编辑", "責任編輯", "編輯")
# Slots that stand below a body as well as above it, with a value of any length.
CLOSING = ("原标题", "原题", "标签", "关键词", "关键字", "關鍵字", "關鍵詞", "标签TAG")
# Whole lines of furniture that stand inside or beside a body.
# Atomic and possessive (`(?>`, `++`): a long run of words and spaces must not be split in every possible way.
FURNITURE = re.compile(
    r"(?>[\s【\[(（]*+(?:打印(?:此文|本页|此页|文章|本文)?|关闭(?:窗口|本页|此页)?|(?:返回|回到)(?:顶部|首页|页首|上页|列表|上一页)"
    r"|收藏(?:此页|本页|本文)?|加入收藏|推荐(?:给)?(?:好友|朋友)?|字号选择|字体|字号|字體|大|中|小|放大|缩小|默认|双击滚屏|双击自动滚屏"
    r"|复制(?:本页)?(?:链接|网址)|发送(?:给)?好友|纠错|投稿|分享(?:到)?|欢迎咨询|TOP|顶部|评论|我要评论|发表评论|举报"
    r"|(?:用)?(?:微信)?(?:扫描|扫码|扫一扫)(?:下方)?(?:二维码)?(?:分享)?|分享(?:至|到|给)(?:微信)?(?:好友)?(?:和|或|、)?(?:朋友圈|好友)"
    r"|调整字体|新浪微博|腾讯微博|QQ(?:空间|好友|群)|微信(?:好友|朋友圈)?|朋友圈|人人网|开心网|豆瓣网?)"
    r"[\s】\])）:：|｜/]*+)++",
    re.I,
)
# Lines that speak of the site or the clock, never of the article.
DECOYS = re.compile(
    r"今天是|今日是|现在是|现在时间|当前时间|系统时间|本站(?:已被|共)?(?:访问|浏览)|您是(?:本站)?第|访问总数|总访问|今日访问|"
    r"在线人数|当前在线|访客|欢迎您(?:来到|光临)|欢迎光临|建站|更新于|最后更新[:：]?.{0,12}本站"
)
# Every alternative begins with a plain character: then a search passes over a line at a glance.
FOOTER = re.compile(
    "版权所有|copyright|Copyright|CopyRight|COPYRIGHT|©|ICP[备证]|icp[备证]|Icp[备证]|公网安备|技术支持[:：]|制作维护|建议使用.{0,12}浏览器"
    "|All [Rr]ights [Rr]eserved|all rights reserved|ALL RIGHTS RESERVED|网站地图"
    "|未经.{0,10}(?:授权|许可|同意).{0,12}(?:转载|复制|使用)"
)
_COMMENT = "(?:评论|留言|跟[贴帖]|評論)"
_COMMENTS_HINT = re.compile("评论|留言|跟[贴帖]|評論|回[复帖覆]")
# 回复 alone may head the answer of an office to a letter, which is the article.
_COMMENTS = re.compile(
    r"[\W_]*(?:(?:全部|所有|最新|\d{1,6}\s?[条则个篇])\s?回[复帖覆]|"
    r"(?:全部|所有|最新|最热|热门|精彩|网友|用户|读者|游客|文章|新闻|相关|推荐|已有|共有?|有|網友|讀者){0,3}\s*[\d,]{0,9}"
    rf"\s*[条條个則则篇位]?\s*{_COMMENT}(?:列表|区|专区)?\s*[(（\[【]?\s*(?:共|已有)?\s*[\d,]{{0,9}}\s*[条个则篇]?{_COMMENT}?)[\W_]*"
)
_COMMENT_MARK = re.compile(
    r"回[复覆帖](?!时间|日期|单位|部门|内容|情况|人)|举报|舉報|\d\s*楼|\d\s*(?:分钟|小时|天|分鐘|小時)前"
    r"|(?:[顶踩赞]|支持|反对)\s*[(（\[]?\s*\d|\d{1,2}[-/月.]\d{1,2}日?\s*\d{1,2}[:：]\d{2}"
)
_SITE_TALK = re.compile(f"{DECOYS.pattern}|{FOOTER.pattern}")
_FURNITURE_LONGEST, _BUTTONS_LONGEST = 100, 60
_COMMENTS_LONGEST, _MARK_LONGEST = 30, 60
COLON = r"\s*[:：]\s*"
ARROW = r"(?:-+>|=+>|>+|＞+|»|›|→|--+|—+|≫|·>|::)"
# Behind a position word bars and slashes part crumbs, too.
SEPARATOR = rf"(?:{ARROW}|\\|/|\|)"


# The lines around the articles of a portal are the same on every page, so what is asked of a short line is asked once.
_REMEMBERED = 8192


def is_decoy(text: str) -> bool:
    """Tell whether a line speaks of the clock or the site's own counters."""
    return len(text) <= _FURNITURE_LONGEST and _is_decoy(text)


@lru_cache(maxsize=_REMEMBERED)
def _is_decoy(text: str) -> bool:
    return bool(DECOYS.search(text))


def is_furniture(text: str) -> bool:
    """Tell whether a line is buttons, a footer, a clock or a counter, wherever it stands."""
    return len(text) <= _FURNITURE_LONGEST and _is_furniture(text)


@lru_cache(maxsize=_REMEMBERED)
def _is_furniture(text: str) -> bool:
    return bool(_SITE_TALK.search(text)) or is_buttons(text)


def heads_comments(text: str) -> bool:
    """Tell whether a line may head what readers wrote below an article: 网友评论(42), 4,060 条评论."""
    return len(text) <= _COMMENTS_LONGEST and bool(_COMMENTS_HINT.search(text) and _COMMENTS.fullmatch(text))


def is_comment_mark(text: str) -> bool:
    """Tell whether a short line is what stands beside a reader's comment: who wrote it and when, 回复, 举报, 顶(3)."""
    return len(text) <= _MARK_LONGEST and bool(_COMMENT_MARK.search(text))


def is_buttons(text: str) -> bool:
    """Tell whether a line is nothing but buttons: 【打印此文】 字号：大 中 小."""
    return len(text) <= _BUTTONS_LONGEST and bool(FURNITURE.fullmatch(text))


def label_pattern(words: Iterable[str]) -> str:
    """Return a regular expression for any of the words, longest first, with spaces allowed between their characters."""
    return (
        "(?:" + "|".join(r"[\s\u3000]*".join(map(re.escape, word)) for word in sorted(set(words), key=len, reverse=True)) + ")"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The compiled tables of one portal; there is one object for each."""

    published: re.Pattern[str]
    # The hints are asked first: a line without one of these characters holds no such label.
    published_hint: re.Pattern[str]
    views: re.Pattern[str]
    views_hint: re.Pattern[str]
    source: re.Pattern[str]
    source_hint: re.Pattern[str]
    source_date: re.Pattern[str]
    position: re.Pattern[str]
    end: re.Pattern[str]
    end_hint: re.Pattern[str]
    tools: re.Pattern[str]
    editor: re.Pattern[str]
    closing: re.Pattern[str]
    slot: re.Pattern[str]


def labels(extra: Mapping[str, tuple[str, ...]]) -> Labels:
    """Return the tables with a portal's own words added."""
    return _compiled(tuple(sorted(extra.items())))


def _last_characters(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(''.join(sorted({word[-1] for word in words})))}]")


@lru_cache(maxsize=32)
def _compiled(extra: tuple[tuple[str, tuple[str, ...]], ...]) -> Labels:
    more = dict(extra)

    slots = label_pattern((*SLOTS, *more.get("slots", ()), *PUBLISHED, *VIEWS, *SOURCE))

    def words(name: str, table: tuple[str, ...]) -> str:
        return label_pattern((*table, *more.get(name, ())))

    published = (*PUBLISHED, *more.get("published", ()))
    long = label_pattern(word for word in published if len(word) > 2)
    # A short word (时间) is a label only when no Chinese character stands before it: 活动时间：… is no publication date.
    short = label_pattern(word for word in published if len(word) == 2)
    bracket = r"^[\s\u3000【\[(（·•■◆▲→>]*"
    return Labels(
        published_hint=_last_characters(published),
        views_hint=_last_characters((*VIEWS, *(word.upper() for word in VIEWS), *more.get("views", ()))),
        source_hint=_last_characters((*SOURCE, *more.get("source", ()))),
        published=re.compile(
            rf"(?:(?<!最近)(?<!最后)(?<!网站)(?<!本站)(?<!系统){long}(?:{COLON}|\s*(?=\d))|(?<![\u4e00-\u9fff]){short}{COLON})"
        ),
        views=re.compile(
            rf"({words('views', VIEWS)})(?:\s*[:：]|\s*了)?\s*[(（\[【]?\s*"
            r"(?P<views>\d{1,3}(?:,\d{3})+|\d{1,4}(?:\.\d{1,2})?万|\d{1,9})?\s*(?:次|人|℃|人次)?",
            re.I,
        ),
        source=re.compile(rf"({words('source', SOURCE)})(?:{COLON}|\s+)(?P<source>[^\s:：|｜【】\[\]()（）]{{1,30}})"),
        source_date=re.compile(rf"^[\s\u3000(（\[【]*({words('source_date', SOURCE_DATE)}){COLON}?"),
        position=re.compile(rf"({words('position', POSITION)})\s*(?:是|为)?\s*[:：>＞»]?\s*"),
        end=re.compile(rf"{bracket}(?:{words('end', END)})"),
        end_hint=re.compile(f"{bracket}[{re.escape(''.join(sorted({word[0] for word in (*END, *more.get('end', ()))})))}]"),
        slot=re.compile(rf"^[\s\u3000【\[(（]*{slots}\s*(?:[:：](?P<value>.*)|(?P<bare>))$"),
        editor=re.compile(
            rf"{bracket}(?:{words('source', SOURCE)}{COLON}[^，。；]{{0,30}}?)?{label_pattern(EDITORS)}\s*[:：|｜丨/]"
        ),
        closing=re.compile(rf"{bracket}{label_pattern(CLOSING)}(?:{COLON}|\s|$)"),
        tools=re.compile(rf"{bracket}(?:{words('tools', TOOLS)})"),
    )
