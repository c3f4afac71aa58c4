"""Ordinary words that often stand where a name would: `to be`, `tell them`, `to everyone`, `对大家说`.

A word among these is not taken for a misspelt name, even if somebody with a similar one is here.
"""

from typing import Final

_WORDS: Final = """
a able about above accept act add adult after again against ago agree air all allow almost alone along already also
always am among an and animal annoy another answer any anybody anyone anything appear apply are area argue around
arrive art as ask at ate avoid away baby back bad bake ball ban band bank bar base be beat bed been before beg begin
behind being believe bell best bet better between beyond big bike bill bit bite blame block board boat body boil bold
bone book boot both bother bottom box boy bread break bring broke bug build bus busy but buy by cake call came can car
card care carry case cat catch cause chat cheat check cheer child choose church city class clean clear click climb
close club coat code coffee cold come common compare complete confirm cook cool copy cost could count country course
cover create cross cry cup cut dad dance dare dark data date day days dead deal dear death decide deep delete deliver
depend did die different dig dinner do doctor does dog doing done door double down draw dream dress drink drive drop
dry during each ear early earn earth ease east easy eat edit eight either else empty end english enjoy enough enter
error even evening ever every everybody everyone everything exam explain eye face fact fair fall family far fast fat
father fear feed feel feet few field fight figure file fill film final find fine finish fire first fish fit five fix
floor fly focus fold follow food fool foot for force forget form forward four free friend friends from front full fun
further game gave get girl give glad go goal god going gone good got great green ground group grow guess guys had half
hall hand handle hang happen hard has hate have he head hear heart heat heaven hell hello help hence her here hers
herself hi hide high him himself hint his hit hold hole home honest hope hospital host hot hour house how hug human
hurt i ice idea if ignore improve in include income inside install instead into is it item its itself job join joke
judge jump just keep key kick kid kids kill kind king kiss knock know lady land language last late later laugh law lay
lead learn least leave left leg lend less let level lie life lift light like line link list listen little live load
local lock log london lone long look lose lost lot lots love low luck lunch mail main make man many mark market match
matter may maybe me mean meet men mention mess might milk mind mine minute miss mix mom moment monday money month more
morning most mother mouth move movie much mum music must my myself name near need neither never new news next nice
night nine no nobody none nor north nose not note nothing notice now number of off offer office often oh oil ok okay
old on once one ones only open or order other others our ours out outside over own owner page pain paint pair paper
parent park part party pass past pay peace people perhaps person phone photo pick picture piece place plan play please
point police pool poor post practice prefer prepare pretend prevent print private prove public pull push put question
quick quiet quit quite rain raise ran reach read ready real really reason record red reduce refer relax rely remember
remind remove rent repeat reply report rest return rich ride right ring rise risk river road rock role room round rule
run sad safe said sale same save saw say school scroll sea search seat second secret see seem sell send sense serve
service set seven share she shed shoot shop short should show shut side sign simple since sing sit six size sleep slow
small smell smile so social solve some somebody someone something song soon sorry sort sound south speak spell spend
split sport stand star start stay steal step still stop store story street strong study stuff such suit sum summer sun
support sure swim system table take talk tea teach team tell ten term test text than thank thanks that the their them
themselves then there these they thing things think third this those though thought three through throw ticket time
tired to today together told tomorrow tonight too took top touch town train travel tree trip trouble true trust try
turn twice two type under understand until up upon us use used user usual very video view visit voice vote wait wake
walk wall want war warm was wash waste watch water way we wear weather wed week well went were west what when where
whether which while white who whole whom whose why wife will win wind window wish with within without woman women won
wonder word work world worry worse worst worth would write wrong year years yes yesterday yet you young your yours
yourself
"""
ORDINARY: Final = frozenset(_WORDS.split())
"""English; also the first words of a text, which may be joined with a name: `to Bobcall me`."""

_CHINESE: Final = """
我 你 妳 您 他 她 它 咱 谁 誰 大家 各位 所有 全体 全體 别人 別人 人家 一 这 這 那 自己 朋友 同学 同學 老师 老師 群
什么 什麼 怎 功能 可以 不 有 没 沒 的 了 吧
"""
ORDINARY_CHINESE: Final = tuple(_CHINESE.split())
"""How a run of Chinese characters begins that is about everybody, or about no name at all."""
