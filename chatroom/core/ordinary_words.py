"""Ordinary words that often stand where a name would: `to be`, `tell them`, `to everyone`, `对大家说`.

A word among these is not taken for a misspelt name, even if somebody with a similar one is here.
"""

from typing import Final

_WORDS: Final = """
a able about above accept act add adult after again against ago agree ai air all allow almost alone along already also
always am among an and animal annoy another answer any anybody anyone anything appear apply are area argue around
arrive art as ask at ate avoid away baby back bad bake ball ban band bank bar base be beat bed been before beg begin
behind being believe bell best bet better between beyond big bike bill bit bite blame block board boat body boil bold
bone book boot bot both bother bottom bow box boy bpm bread break bring bro broke bug build bus busy but buy by cake
call came can car card care carry case cat catch cause cc chat cheat check cheer child choose church city class clean
clear click climb close club coat cob code coffee cold come common compare complete confirm cook cool copy cost could
count country course cover create cross cry cto cup cut dad dam dance dare dark data date day days dc dead deal dear
death decide deep delete deliver depend did die different dig dim dinner do doctor does dog doing done door double
down draw dream dress drink drive drop dry dto during each ear early earn earth ease east easy eat edit eight either
else empty end english enjoy enough enter error eu even evening ever every everybody everyone everything exam explain
eye face fact fair fall family far fast fat father fear feed feel feet few field fight figure file fill film final
find fine finish fire first fish fit five fix floor fly fm focus fold follow food fool foot for force forget form
forward four free friend friends from front full fun further game gave get gin girl give glad go goal god going gone
good got great green ground group grow guess guys gym had half hall ham hand handle hang happen hard has hate have he
head hear heart heat heaven hell hello help hence her here hers herself hi hide high him himself hint his hit hold
hole home honest hope hospital host hot hour house how hr ht hug human hurt i ice idea if ignore im improve in include
income inside install instead into ios is it item its itself jam job join joke judge jump just keep key ki kick kid
kids kill kin kind king kiss kit km knock know la lady land language last late later laugh law lay lead learn least
leave left leg lend less let level lie life lift light like line link list listen little live load local lock log
london lone long look lose lost lot lots love low luck lunch ly mac mail main make man many mark market match matter
may maybe me mean meet men mention mess messaged messages might milk mind mine minute miss mix mob mom moment monday
money month more morning most mother mouth move movie much mum music must my myself name near need neither never new
news next nice night nine no nobody none nor north nose not note nothing notice now number ny of off offer office
often oh oil ok okay old on once one ones only open or order os other others our ours out outside over own owner page
pain paint pair paper parent park part party pass past pay pc pcs peace people perhaps person ph phone photo php pick
picture piece pin place plan play please png point police pool poor post pr practice prefer prepare pretend prevent
print private prove pto public pull push put question quick quiet quit quite rain raise ram ran reach read ready real
really reason record red reduce refer relax rely remember remind remove rent repeat reply report rest return rich ride
right rim ring rise risk river road rock role room round rpm rule run sad safe said sale same sap sat sauce save saw
say school scroll sea search seat second secret see seem sell send sense serve service set seven share she shed shoot
shop short should show shut side sign simple sin since sing sit six size sleep slow small smell smile so sob social
solve some somebody someone something song soon sorry sort sound south spa speak spell spend split sport sql stand
star start stay steal step still stop store story street strong study stuff such suit sum summer sun support sure swim
system table take talk tea teach team tell teller telling tells telly ten term test text than thank thanks that the
their them themselves then there these they thing things think third this those though thought three through throw
ticket time tin tired to toad toast toaster toasts tobacco tobago today toddler todo toe toes toffee together toilet
toilets token tokens tokyo told tolerance tolerant tolerate toll tom tomato tomatoes tomb tombola tomorrow tomorrows
ton tone tones tongue tonic tonight tons too took tool tools tooth top topic topics topping toppings torch tore torn
tornado toronto tort tortoise torture toss tossed total totally totals touch touched touches touching touchy tough
tougher tour touring tourism tourist tourists tournament toward towards towel towels tower towers town towns toxic toy
toys train travel tree trip trouble true trust try turn tv twice two type ui uk under understand until up upon url us
use used user usual ux very video view vim visit voice vote vr wages wait waited waiter waiting wake wakes waking walk
walked walking walks wall wallet wallpaper walls wander wandering wanna want wanted wanting wants war warm warmer
warning warnings was wash washed washes washing wasnt waste wasted wasting watch watched watches watching water waters
wave waves way we weak weapon wear wearing weather wed week weekday weekend weekends weekly weeks weigh weight weird
welcome well went were weren west western whale what whatever wheat wheel wheels when whenever where wherever whether
which whichever while whip whispered whisperer whisperers whispering whispers white who whole whom whos whose why wide
wider wife wild will willing win wind window wine wing wings winner winning wins winter wipe wire wired wireless wise
wish wished wishes wishing witch with within without woke wolf woman women won wonder wonderful wondering wonders wont
wood wooden wool word wording words work working workplace works workshop world worlds worn worried worries worry
worrying worse worst worth worthy would wouldnt wounded wow wrap wrapped wrestling wrist write writer writers writes
writing written wrong wrote xs yam year years yes yesterday yet you young your yours yourself
"""
ORDINARY: Final = frozenset(_WORDS.split())
"""English; also the first words of a text, which may be joined with a name: `to Bobcall me`."""

AFTER_TO: Final = frozenset(
    (
        *("aid", "begin", "cite", "clarify", "conclude", "date", "elaborate", "note", "paraphrase", "quote"),
        *("recap", "reiterate", "rephrase", "reproduce", "sum", "summarise", "summarize", "wit"),
    )
)
"""With these, and with those above, a sentence or a heading begins after `to`."""

_CHINESE: Final = """
我 你 妳 您 他 她 它 咱 谁 誰 大家 各位 所有 全体 全體 别人 別人 人家 一 这 這 那 自己 朋友 同学 同學 老师 老師 群
什么 什麼 怎 功能 可以 不 有 没 沒 的 了 吧
"""
ORDINARY_CHINESE: Final = tuple(_CHINESE.split())
"""How a run of Chinese characters begins that is about everybody, or about no name at all."""
