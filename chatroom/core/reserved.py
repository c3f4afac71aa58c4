"""Names that nobody may have, because they would pass for the service or for those who run it.

A name is reserved as a whole: `Ghost` and `Roots` are not. Case, look-alikes, accents, digits and what is drawn around
or between the letters make no difference: `[Admin1]`, `s.y.s.t.e.m`, `管 理 员`, `1号管理员`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
администратор, админ, модератор, оператор, система, сервер, administrador, administradora, moderador, moderadora,
administrateur, modérateur, sistema, soporte, systemverwalter, 管理人さん, 運営, 運営者, システム, サーバー,
モデレーター, 관리자, 운영자, 시스템, 서버,
"""
RESERVED: Final = tuple(filter(None, map(str.strip, re.split("[,\n]", _TABLE))))

# Symbols and digits that stand for letters in what people call leet. `0` and `1` are look-alikes anyway.
_LEET: Final = str.maketrans("@4$5!|37", "aassilet")
_RADICALS: Final = re.compile("[\u2e80-\u2fdf]")  # symbols by category; `skeleton` writes 长 as one of them
_NUMBER: Final = re.compile("[0-9]+[号號]")


def is_reserved(name: str) -> bool:
    """Whether this name would pass for the service, or for those who run it."""
    text = plain(name)
    if text == "*":
        return True
    letters = sum(map(_is_letter, text))
    return letters <= _longest() and any(_key(form) in _keys() for form in dict.fromkeys(_forms(text)))


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
    return "".join(filter(_is_letter, skeleton(form)))


@lru_cache(maxsize=8192)
def _is_letter(character: str) -> bool:
    return category(character)[0] == "L" or _RADICALS.match(character) is not None


@cache
def _keys() -> frozenset[str]:
    return frozenset(filter(None, (_key(plain(name)) for name in RESERVED)))


@cache
def _longest() -> int:
    return max(len(plain(name)) for name in RESERVED)
