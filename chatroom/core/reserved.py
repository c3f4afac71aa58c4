"""Names that nobody may have, because they would pass for the service or for those who run it.

A name is reserved as a whole: `Ghost` and `Roots` are not. Case, look-alikes, accents, digits and what is drawn around
or between the letters make no difference: `[Admin1]`, `s.y.s.t.e.m`, `管 理 员`, `1号管理员`. Nor do words around it
that name nobody: `The Real Admin`, `系统消息`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final
from unicodedata import category

from chatroom.core.confusables import plain, skeleton

# What clients show for the server and the reader; the program and the machine; those who run it; both in simplified and
# traditional Chinese; and in other languages.
_TABLE: Final = """
*, you, 你, 您,
server, system, service, console, root, host, localhost, superuser, chat room, system message, system notice,
server message, service message, announcement, broadcast, notice, NickServ, ChanServ, OperServ, bot admin,
admin bot, mod bot, server bot,
admin, admins, adm, administrator, administrators, administration, admin team, the admin, super admin,
super administrator, head admin, chat admin, room admin, server admin, web admin, site admin, system admin,
system administrator, sys admin, sys op, co admin, admin support, mod, mods, moderator, moderators, moderation,
mod team, the mod, super mod, global mod, head mod, chat mod, room mod, chat moderator, room moderator,
super moderator, co mod, op, ops, oper, operator, operators, chan op, chat operator, net op, game master, owner,
room owner, server owner, site owner, chat owner, founder, web master, host master, post master, manager,
chat manager, room manager, supervisor, management, maintainer, developer, developers, dev team, staff,
staff member, staff team, official, official account, official support, support, support team, tech support,
technical support, customer support, customer service, customer care, help desk, service desk, security,
security team, abuse team, trust and safety, trust & safety, room host, chat host, chat staff, server staff,
verified admin,
系统, 系統, 系统消息, 系統訊息, 系统通知, 系統通知, 系统提示, 系統提示, 系统公告, 系統公告, 服务器, 服務器,
伺服器, 服务端, 服務端, 主机, 主機, 后台, 後台, 后端, 後端, 公告, 通知, 官方公告, 官方通知, 聊天室, 控制台,
根用户, 超级用户, 超級用戶, 管理, 管理员, 管理員, 管理者, 管理人, 管理组, 管理組, 管理处, 管理處, 管理人员,
管理人員, 管理团队, 管理團隊, 管理机器人, 管理機器人, 总管理员, 總管理員, 副管理员, 副管理員, 超级管理员,
超級管理員, 超管, 协管, 協管, 协管员, 協管員, 系统管理员, 系統管理員, 网站管理员, 網站管理員, 聊天室管理员,
聊天室管理員, 房间管理员, 房間管理員, 房管, 房主, 群主, 群管, 群管理, 吧主, 版主, 副版主, 超级版主, 超級版主,
斑竹, 坛主, 壇主, 版务, 版務, 站长, 站長, 站務, 站务, 网管, 網管, 网警, 網警, 主持, 主持人, 巡管, 巡查员, 巡查員,
监管员, 監管員, 审核员, 審核員, 审查员, 審查員, 操作员, 操作員, 维护员, 維護員, 维护人员, 維護人員, 开发者,
開發者, 开发人员, 開發人員, 客服, 客服人员, 客服人員, 在线客服, 線上客服, 人工客服, 官方客服, 客户服务, 客戶服務,
官方, 官方人员, 官方人員, 官方账号, 官方帳號, 工作人员, 工作人員, 运营, 運營, 营运, 營運, 运营人员, 運營人員,
技术支持, 技術支援, 技术人员, 技術人員, 安全中心, 安全员, 安全員, 创始人, 創始人, 主管, 总管, 總管, 值班员,
值班員,
администратор, админ, админы, администрация, модератор, модер, оператор, система, сервер, поддержка, техподдержка,
владелец, адмін, адміністратор, адміністрація, адміністратар, служба поддержки, служба підтримки, підтримка, власник,
administrador, administradora, moderador, moderadora,
administrateur, modérateur, sistema, soporte, systemverwalter, 管理人さん, 運営, 運営者, システム, サーバー,
モデレーター, 관리자, 운영자, 시스템, 서버,
"""

# Words that say nothing of who it is: with these, and no others, a reserved name is still one.
_AROUND: Final = """
a, an, co, of, the, this, our, your, real, true, actual, genuine, legit, official, verified, trusted, super, head,
chief, senior, junior, main, global, vice, deputy, assistant, helper, trial, bot, team, crew, group, member,
members, account, chat, room, site, web, website, forum, channel, community, online, message, messages,
info, 消息, 訊息, 信息, 提示, 提醒, 助手, 小助手, 助理, 小助理, 机器人, 機器人, 团队, 團隊, 小组, 小組, 人员, 人員,
专员, 專員, 成员, 成員, 中心, 账号, 帳號, 账户, 帳戶, 认证, 認證, 真, 真的, 真正, 真正的, 正版, 唯一, 超级, 超級,
高级, 高級, 首席, 总, 總, 副, 的, 本, 本站, 本群, 全站, 网站, 網站, 平台, 房间, 房間, 群, 群聊, 聊天, 频道, 頻道,
在线, 線上, 线上, 公式, ボット, 공식, 봇, бот, чат, чата, чату, команда, служба, главный, официальный, настоящий,
головний, офіційний, справжній,
"""


def _listed(table: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, re.split("[,\n]", table))))


RESERVED: Final = _listed(_TABLE)
_SHORTEST_PART: Final = 3  # of a name written as one word: `co` and `oper` would make `Cooper` reserved

# Symbols and digits that stand for letters in what people call leet. `0` and `1` are look-alikes anyway.
_LEET: Final = str.maketrans("@4$5!|37₳∆€∑¥₮₥§∂†", "aassilet" + "aaeeytmsdt")
# Letters of other scripts that people write for Latin ones, and that do not look alike in Unicode's data.
_STAND_INS: Final = {
    **dict.fromkeys("ᗩᎯ卂Λ丹ムΔᴧ", "a"),
    **dict.fromkeys("ᗪᗞ", "d"),
    **dict.fromkeys("乇Єᗴ巳Ξ", "e"),
    **dict.fromkeys("卄ᕼ", "h"),
    **dict.fromkeys("Ꮖ工エ丨", "i"),
    **dict.fromkeys("爪ᗰᎷ", "m"),
    **dict.fromkeys("ᑎ几ИПՈ", "n"),
    **dict.fromkeys("ㄖ口ᗝ", "o"),
    **dict.fromkeys("卩ᑭ", "p"),
    **dict.fromkeys("尺Яᖇ", "r"),
    **dict.fromkeys("丂ᔕᏚ", "s"),
    **dict.fromkeys("ㄒ丅Ꮏ", "t"),
    **dict.fromkeys("ㄩᑌ", "u"),
    **dict.fromkeys("丫Ꭹ", "y"),
    **dict.fromkeys("ᐯ", "v"),
    **dict.fromkeys("山ᗯ", "w"),
    **dict.fromkeys("菅筦", "管"),
    **dict.fromkeys("埋哩", "理"),
    **dict.fromkeys("宫宮宦", "官"),
    **dict.fromkeys("糸", "系"),
}
# Two letters that look like one; `skeleton` writes m as rn.
_PAIRS: Final = (("cl", "d"), ("vv", "w"), ("nn", "rn"))
_YOU: Final = ("you", "你", "您")
_MOST_LETTERS: Final = 64
_RADICALS: Final = re.compile("[\u2e80-\u2fdf]")  # symbols by category; `skeleton` writes 长 as one of them
_GAP: Final = re.compile(r"[\W\d_]+")
_NUMBER: Final = re.compile("(?<![0-9])[0-9]++[号號]")


def is_reserved(name: str) -> bool:
    """Whether this name would pass for the service, or for those who run it."""
    text = plain(name)
    if text == "*":
        return True
    if sum(map(_is_letter, text)) > _MOST_LETTERS:
        return False
    forms = dict.fromkeys(_forms(text))
    return any(_is_whole(_key(form)) or _is_put_together(form) for form in forms)


def _is_whole(key: str) -> bool:
    """Whether it is a reserved name, or reserved names and words around them, written as one word."""
    if key in _reserved():
        return True
    parts = _parts()
    ends = {0: False}  # where a part may end, and whether a reserved one is among those before
    for start in range(len(key)):
        if start in ends:
            for end in range(start + 1, min(start + _longest(), len(key)) + 1):
                if (is_staff := parts.get(key[start:end])) is not None:
                    ends[end] = ends.get(end, False) or ends[start] or is_staff
    return ends.get(len(key), False)


def _is_put_together(form: str) -> bool:
    """Whether its words are reserved names and words around them."""
    unmarked = "".join(character for character in form if category(character)[0] != "M")
    is_staff = False
    for word in _GAP.split(unmarked):
        key = _key(word)
        if key in _names():
            is_staff = True
        elif key and key not in _around():
            return False
    return is_staff


def _forms(text: str) -> Iterator[str]:
    """The text as it may be meant: with its symbols and digits as letters, or as decoration."""
    for form in (text, text.translate(_LEET), _NUMBER.sub("", "".join(filter(str.isalnum, text)))):
        start, end = 0, len(form)
        while start < end and not _is_letter(form[start]):
            start += 1
        while end > start and not _is_letter(form[end - 1]):
            end -= 1
        yield from (form, form[start:], form[:end], form[start:end])


def _key(form: str) -> str:
    return _likened("".join(filter(_is_letter, skeleton(form))))


def _likened(letters: str) -> str:
    letters = letters.translate(_stand_ins())
    for two, one in _PAIRS:
        letters = letters.replace(two, one)
    return letters


@cache
def _stand_ins() -> dict[int, str]:
    """From the look of each letter that stands for another to the look of that one."""
    looks = {skeleton(letter): skeleton(meant) for letter, meant in _STAND_INS.items()}
    return {ord(look): meant for look, meant in looks.items() if len(look) == 1 and not look.isascii()}


@lru_cache(maxsize=8192)
def _is_letter(character: str) -> bool:
    return category(character)[0] == "L" or _RADICALS.match(character) is not None


def _keys(names: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, (_key(name) for name in names)))


@cache
def _reserved() -> frozenset[str]:
    return _keys(RESERVED)


@cache
def _names() -> frozenset[str]:
    """What is reserved with words around it too; `Real You` is not."""
    return _reserved() - _keys(_YOU)


@cache
def _around() -> frozenset[str]:
    return _keys(_listed(_AROUND))


@cache
def _parts() -> dict[str, bool]:
    """What a name written as one word may be made of, and whether it is reserved by itself."""
    short = _keys(
        name for name in (*RESERVED, *_listed(_AROUND)) if name.isascii() and len(name) < _SHORTEST_PART
    )
    return {key: key in _names() for key in (_around() | _names()) - short}


@cache
def _longest() -> int:
    return max(map(len, _parts()))
