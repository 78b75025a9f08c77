"""Chinese personal names, as far as credits need them: which strings can be names, and where one ends when they are glued.

A name is a surname and one or two given characters (a compound surname makes it up to four). No segmenter: on credit lines
rules beat every one that was tried, and a table of surnames is readable.
"""

from __future__ import annotations

import re
from functools import lru_cache

COMPOUND_SURNAMES = frozenset(
    (
        "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 "
        "慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 "
        "轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 "
        "公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 褚师 吴铭 纳兰 归海 爱新 完颜 叶赫 那拉"
    ).split()
) - {"吴铭"}
COMMON_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛"
    "闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝"
    "包宁尚符舒阮柯纪梅童凌毕单季裴"
    "霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席"
    "卫米柏宗瞿桂全佟应臧闵苟邬边卞"
    "姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉"
    "伊仝区郜海阚花权强帅屠豆朴盖练廉"
    "禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银"
    "亢嵇公哈湛宾戎勾茅利於呼居揭干但尉"
    "冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由"
)
RARE_SURNAMES = frozenset(
    "璩蹇仵禤俸呙宓庹撖攸斛昝束欎洑淦濯琚瓮甯盍糜綦缑芶葸虢謇钭钮飒乜岑粘过籍院轩敬烟展铁长银锁贠逯钊幺撒苻洮冮哈翦谭郏邝漏俱"
    "候佀伦偶僧兑冣勃匋卷却厥叱呂嗣圭垣埃塘墙夙奂妫姒嫪孓孟宝尉屯岐峁帝幽底庚廣开弁彗彪忍怯恒恩戊戢扬扰拱掌撤攀攻於旅旗时晓晖"
    "晨暂木朋杏极枉枝染柱柳栖根梓梵棉棘楮槐檀欠歧段毓氏汉汕汶沈泉洋洗活浪浮海涧淮溥溪漠潜瀚烈焕熙爨爽牧猴玄玖玛玺珠球理瑶璋璐"
    "甲由疆疏百直眭睦矣碧社祈祭禄离秋秘穰空突窑章端笋符笮箕籽粘糟索绪绳缴罡羌羡翠耶聪肃胖脱膝臣舍艄良艾花苇苑茂荔药莉莎莒莫菊"
    "菜萨落葡蒋蔡薜藕虑蚁蛾衮裔西要角言谆豫贾赫起足跃跋軒辉辽达连迦逢運遆邴邾酒释野金鈕鈡闰阔阙限陵雄雒霜靳鞍韋頡風首骑魁鸟鹤"
    "鹿麟黔默鼓齿汝逄檀笪郄撒妥郐鄞郤郯邾鄯蕲滑澄漕沐沮谯訾贠郇隰颉鬲魁才从代令仉佴俎倚光党冒冠凤则剧劳勇勒匙化千占召台司吐后"
    "吾员哥啜喀回图在城堵塔士央奇奔奥孛宛宝密岁岩岱左巢布帖幹库延开弓弘归当形律御微德忻念思恽悦慈户折拓招拜掌敦新施旗日旷昌星"
    "是晏暴暨曷有朝木未术本朵束杞来松枚枝柔查栋格桓桥森植欣步毋水永沃泉法泥波洗洛洪浮涂涉淡淳渠港湿源潭澹火炎炽热焉照牙特犹狐"
    "独环琴瑞甫生用由畅疏白皇益盈督睢矫砚硕示禄秘税种稽空竹笃笪筱米红经线练续维罕羿翦老耀聊肇育胜腾自臣舜良色艳苍茂茆茶荀莘莱"
    "菅萧葛董蒯蒿蓟蓬蔚薄藏藤虎蛮行衡袭西见詹计许谬豪贝贡贲资赏赖赛越践车辉达迮逢逮道遇那邓邴郏郗郦郸鄂鄞酆里量针银锁锺镇镡问"
    "闪闽闾阎阙降陀随隗雅集零青靖静鞏鞠韶顿须飞香骞骥鱼鲜鲍鳌鸿鹏麴麻黑黄墨黨齐龚佘佐侍信俟保俱倪储傅僪兀党兴典冀农冒凌务勤区"
    "南占卯厍厚双叔古召史司合吉同向后告咸品哀唐善喻器回国圣在坚基堪士声夏夔多天奉奇妙姓姑娜官定宛宜审宰宿富对寸尔尤尧尾局屠岭"
    "峗崇州巢巨左巴市布师席帛干年广庆度庾廉延建异弄张弥强当彤彭徐德心忠忻怀怡思恭息恽悟惠愈感慎戈戎成我战戢户房所扁才扎扶承折"
    "抗抄拉招择捷据掌揭提摩撒操支收政敏教敖敬文斐斗新旁日昂昌明易星春昝是显晁晋景智暨暴曲更曼"
)
_RARE_ONLY = RARE_SURNAMES - COMMON_SURNAMES
# Characters that begin a verb or a function word behind 记者 far more often than a name, and never stand in a given name.
NEVER_IN_NAMES = frozenset(
    "的了是在从向到对说问也就都被把将还与及或但而着过们这那您你我他她它吗呢吧啊之乎者讯电报社网站台摄图供"
)
NOT_PERSONS = frozenset(
    (
        "系统管理员 管理员 网络整理 佚名 未知 不详 本站 本网 本报 网络 互联网 转载 原创 编辑部 无名 匿名 暂无 无 本站编辑 "
        "小编 网站编辑 网友 网站 本站原创 整理 综合 admin administrator root guest webmaster editor 管理 超级管理员 信息中心 "
        "新闻中心 办公室 宣传部 记者站 采编部 编辑 记者 通讯员 作者 摄影 实习生 报道 文图"
    ).split()
)
_ORGANISATION = re.compile(
    r"(?:部|局|厅|处|科|委|会|站|所|院|校|室|办|队|组|公司|集团|中心|支部|党委|街道|社区|政府|学校|大学|医院|银行|协会|学会|"
    r"网|报|社|台|频道|团委|工会|小学|中学|幼儿园|学院|博物馆|图书馆|文化馆|派出所|法院|小区|工厂|商店)\Z"
)
_CJK = re.compile(r"[\u3400-\u9fff·•]+\Z")
_LATIN = re.compile(r"[A-Za-z][A-Za-z.\-'_ ]{1,30}\Z")
_FOREIGN = re.compile(r"[\u3400-\u9fff]{1,6}[·•・][\u3400-\u9fff·•・]{1,12}\Z")


def surname_length(text: str, rare: bool = True) -> int:
    """Return how many characters of a text's beginning are a surname (0 when none)."""
    if text[:2] in COMPOUND_SURNAMES:
        return 2
    if text[:1] in COMMON_SURNAMES or (rare and text[:1] in RARE_SURNAMES):
        return 1
    return 0


def is_name(text: str, rare: bool = True) -> bool:
    """Tell whether a text can be one Chinese personal name."""
    if _FOREIGN.match(text):
        return True
    if not _CJK.match(text) or text in NOT_PERSONS:
        return False
    size = surname_length(text, rare)
    # 欧阳 may be a whole name (surname 欧, given 阳); two common surnames make a double one (陈李 + one or two).
    usual = bool(size) and len(text) - size in (1, 2)
    if not usual and not (size == 2 == len(text)) and not _double_surname(text):
        return False
    return not any(c in NEVER_IN_NAMES for c in text[1:])


def _double_surname(text: str) -> bool:
    return len(text) == 4 and text[0] in COMMON_SURNAMES and text[1] in COMMON_SURNAMES


def is_signature(text: str) -> bool:
    """Tell whether a text can stand behind 责任编辑：or 作者：where pen names, log-in names and Latin names are common."""
    if text.lower() in NOT_PERSONS or _ORGANISATION.search(text):
        return False
    if is_name(text) or _LATIN.match(text):
        return True
    return bool(_CJK.match(text)) and 2 <= len(text) <= 6 and NEVER_IN_NAMES.isdisjoint(text)


@lru_cache(maxsize=4096)
def split_glued(text: str, rare: bool = False) -> tuple[str, ...] | None:
    """Split names written without anything between them (李立新谢寅庆); None when no split gives names only.

    Fewest names win; among equals three characters before two, then the earlier name the longer.
    """
    if is_name(text, rare=True):
        return (text,)
    best: tuple[str, ...] | None = None
    for size in (3, 2, 4):
        head = text[:size]
        if len(text) > size and is_name(head, rare):
            tail = split_glued(text[size:], rare)
            if tail and (best is None or _cost((head, *tail)) < _cost(best)):
                best = (head, *tail)
    return best


def _cost(names: tuple[str, ...]) -> tuple[int, int, int]:
    fours = sum(len(name) == 4 and name[:2] not in COMPOUND_SURNAMES for name in names)
    compound = sum(name[:2] in COMPOUND_SURNAMES and len(name) > 2 for name in names)
    return (len(names) + 2 * fours, -compound, -sum(len(name) == 3 for name in names))
