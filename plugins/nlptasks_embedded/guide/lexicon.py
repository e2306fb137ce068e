"""The words that the rules know, folded: ae for ä, simplified for traditional characters."""

from __future__ import annotations

# What tells English from German, and says nothing about what is asked.
_BOTH = frozenset("in so an am die war was will hat man also not do name art rat bad gut wie hi hallo hello".split())
_ENGLISH = frozenset(
    "a an the this that these those it its i you he she we they me my your our us them their is are was "
    "were be been being am do does did done doing can could would will shall should may might must have "
    "has had having get gets getting got go to too of in on at by for from with without into onto about "
    "as and or but not no yes if then than so there here what whats which who whom whose when where why "
    "how much many any some all every each please pls just only also want wants need needs like let lets "
    "tell tells show shows give gives know knows explain explains mean means use uses used using make "
    "makes work works working way ways possible im ive id dont doesnt cant isnt there up out off over "
    "more most best very really actually exactly able thing things something anything one two say says "
    "said call called see look help will am s t d ll re ve m find available exist exists support "
    "supports happen happens write create build run own add set turn enable start entire possible other "
    "different another anywhere somewhere put puts read".split()
)
_GERMAN = frozenset(
    "der die das den dem des ein eine einen einem einer eines dieser diese dieses diesen diesem jener "
    "ich du er sie es wir ihr mich dich sich uns mir dir ihm ihnen mein meine meinen dein deine sein "
    "seine unser ist sind war waren wird werden wurde bin bist sei habe hast hat haben hatte kann kannst "
    "koennen koennte koennt kannste konnte muss muessen soll sollte will wollen moechte moechten darf "
    "brauche brauchen gibt gibts geht gehts und oder aber nicht kein keine ja nein wenn dann als dass ob "
    "auf aus bei mit nach von vom vor zu zum zur fuer ueber unter durch ohne gegen um im ins am an in "
    "wer wen wem wessen was wann wo woher wohin warum wieso weshalb wie welche welcher welches welchen "
    "welchem wieviel wieviele viel viele bitte mal denn doch noch nur auch schon sehr hier da dort jetzt "
    "nun so man etwas alles alle jede jeder jedes mach mache macht machen machst nutze nutzen benutze "
    "benutzen benutzt verwende verwenden sag sage sagt zeig zeige erklaere erklaer nenne weiss wissen "
    "heisst bedeutet eigentlich wobei genau wirklich damit dazu davon dafuer darin es gib geben "
    "funktioniert moeglich verfuegbar kennt kennst finde stelle lasse eigene eigenes eigenen mehrere "
    "liegt liegen hilfe kriege bekomme laufen lassen irgendwohin irgendwo ausfuehren starten schreiben "
    "erstellen eigene "
    "andere anderes anderen anderer vielen steht stehen heissen".split()
)
_GREETED = frozenset("hallo moin servus tschuess danke gruezi guten morgen abend auf wiedersehen hilfe".split())
ENGLISH, GERMAN = _ENGLISH - _GERMAN | {"i", "a"}, _GERMAN - _ENGLISH | _GREETED
FUNCTION = _ENGLISH | _GERMAN | _BOTH
FUNCTION_ZH = (
    "怎么样|怎么|怎样|如何|请问|为什么|什么样|什么|可不可以|可以|能不能|是不是|是否|能否|哪些|哪个|哪里|哪儿|哪|多少|"
    "几个|几种|几|这个|那个|这些|那些|它们|它|我们|我|你们|你|您|请|帮忙|告诉|介绍一下|介绍|解释|一下|有没有|有|没有|"
    "吗|呢|吧|啊|了|的|地|得|是|在|和|与|或|及|用|能|会|要|想|需要|应该|该|把|将|给|对|让|被|到|去|来|做|进行|使用|"
    "一个|一些|一种|这|那|里|上|下|都|也|还|就|很|其|哦|呀|怎|么|知道|支持|意思|处理|写|很多|其他|别的"
)

# Orders. What is longer must stand before what it begins with.
SUMMARIZE = (
    "summari[sz]e|summari[sz]ing|summari[sz]ed|summari[sz]ation|summary|sum (?:it |this |that |up )*up|tl dr|tldr|"
    "condense|shorten|gist|key points|main points|key takeaways|main ideas?|recap|abridge|boil (?:it |this )?down|"
    "fasse|fass|fassen|zusammenfassen|zusammenzufassen|zusammenfassung|kurzfassung|kuerze|kuerzen|"
    "hauptpunkte|kernaussagen?|das wichtigste|inhaltsangabe"
)
TRANSLATE = (
    "translate|translates|translated|translating|translation|uebersetze|uebersetzen|uebersetz|uebersetzt|"
    "uebersetzung|zu uebersetzen|uebertrage|dolmetsche"
)
RENDER = "version|fassung|put|render|convert|turn|bring|bringe|setze"  # translates only with a language
ASK = (  # "how do you say ... in German"
    "how do you say|how do i say|how do we say|how do u say|how would you say|how would i say|"
    "how can i say|how should i say|how to say|how is|what is|whats|what s|what does|what would be|"
    "whats the word for|what is the word for|what s the word for|wie sagt man|wie sag ich|wie sage ich|"
    "wie heisst|wie lautet|was heisst|was bedeutet|was ist|what would|was(?=.* heisst$)|"
    "was(?=.* bedeutet$)"
)
ASK_END = "mean|called|be|heissen|sagen|heisst|bedeutet"
REQUEST = (
    "please|pls|plz|kindly|can you|could you|would you(?: mind)?|will you|can u|could u|i want you to|"
    "i want|help me|i need you to|i need|i d like you to|i would like you to|i d like|i would like|"
    "id like|give me|make me|write me|get me|tell me|show me|id like to know|i d like to know|"
    "i want to know|can you tell me|do you know|i need to know|kannst du mir sagen|weisst du|"
    "ich moechte wissen|sag mir|let s|lets|bitte|kannst du|koenntest du|koennen sie|koennten sie|"
    "wuerdest du|wuerden sie|ich moechte|ich will|ich brauche|ich haette gern|gib mir|hilf mir|kannste"
)
FILLER = (  # before the verb
    "read this and|read it and|read the following and|lies das und|hello|hi|hey|now|then|ok|okay|so|and|"
    "also|just|thanks|thank you|to|make|write|create|provide|do|a|an|the|some|short|brief|quick|concise|"
    "good|my|me|for me|again|great|next|mir|uns|mal|doch|jetzt|nun|einmal|noch|auch|hallo|und|dann|danke|"
    "eine|einen|ein|die|der|das|kurze|kurz|knappe|knapp|gib|mach|mache|erstelle|erstell|schreib|schreibe|"
    "fuer mich|dir|du|sie|liebe|lieber|ne|nochmal|to get|to have"
)
SOFT = (  # may stand behind the verb, or at the end
    "please|pls|plz|for me|for us|thanks|thank you|briefly|shortly|quickly|again|now|once more|of|from|"
    "for|me|us|bitte|mir|uns|mal|kurz|knapp|danke|jetzt|nun|noch|noch einmal|nochmal|fuer mich|von|vom|"
    "davon|daraus|zu|zusammen|einmal|doch|fuer mich|besser|word for word|could you|can you|would you|"
    "kannst du|koenntest du|auch"
)
_DETERMINER = (
    "english|german|chinese|french|spanish|englischen?|deutschen?|chinesischen?|the|this|that|these|"
    "those|my|our|his|her|following|above|below|whole|entire|attached|given|next|earlier|previous|pasted|"
    "long|last|first|all of|content of|contents of|den|der|die|das|dem|des|dies|diesen|dieser|diese|"
    "dieses|diesem|meinen|meine|mein|folgenden|folgende|folgendes|folgender|obigen|obige|oberen|ganzen|"
    "ganze|vorigen|letzten|langen"
)
TEXT = (
    "texts?|articles?|paragraphs?|passages?|documents?|sentences?|messages?|e mail|emails?|mails?|"
    "letters?|story|news|reports?|contents?|page|post|notes?|conversation|words?|phrase|following|above|"
    "below|textes?|artikels?|absatz|absatzes|abschnitte?|abschnitts|dokumente?|dokuments|satz|saetze|"
    "satzes|nachricht|nachrichten|brief|briefes|geschichte|bericht|berichts|inhalt|inhalts|seite|notizen|"
    "folgende[ns]?|obige[ns]?|wort"
)
ABOUT = (  # as good as "summarize it"
    rf"what (?:is|s) (?:this|that|it|the)(?: (?:{TEXT}))?(?: all)? about|what does (?:this|the|it)(?: (?:{TEXT}))? say|"
    rf"(?:worum|um was) geht ?(?:es|s)(?: (?:hier|da|darin|(?:in )?(?:dem|diesem|den|im)? ?(?:{TEXT})))?|"
    rf"was steht (?:hier|da|darin|drin|in (?:{_DETERMINER}) (?:{TEXT}))|"
    rf"wovon handelt (?:das|dies|es|(?:der|die|das|dieser|diese|dieses) (?:{TEXT}))"
)
REPLY = "summary|answer|reply|translation|zusammenfassung|antwort|uebersetzung|kurzfassung"
PRONOUN = (
    "this|that|it|these|those|them|das|dies|es|ihn|sie|den|diesen|dieses|alles|everything|all|"
    "the whole thing|whole thing|ganze|das ganze"
)
REFERENCE = (
    rf"(?:(?:{_DETERMINER}) )+(?:{TEXT}|{REPLY})(?: (?:above|below|here|oben|unten|hier))?|(?:{TEXT}|{REPLY})(?=$)"
)
SHAPED = (  # goes with the number of sentences
    "in form of|in the form of|in der form von|in form von|at most|no more than|less than|up to|in|with|"
    "using|as|to|max|maximum|about|only|just|exactly|within|of|into|auf|mit|als|maximal|hoechstens|etwa|"
    "ca|nur|genau|kurzen|kurze|short|simple|einfachen|a|an|der|eine|einer"
)
SHAPED_END = "or less|or fewer|max|maximal|maximum|oder weniger|hoechstens|only|long|lang"
SENTENCES = "sentences?|lines?|satz|saetzen|saetze|zeilen?"
WORDS = "words?|woertern|woerter|worten|worte"
BULLETS = "bullet points?|bullets?|bulleted list|stichpunkten?|stichworten?|stichwoertern|aufzaehlung"
HEADLINE = "headline|title|ueberschrift|schlagzeile"
CODES = frozenset("en de zh fr es ja ko ru pt nl pl tr ar sv cs uk".split())
INTO = "into|to|in|as|in to|auf|ins|in das|in die|nach|zu|als|aufs"
OUT_OF = "from|out of|aus dem|aus|vom|von"
NUMBERS = {
    name: number
    for number, names in enumerate(
        (
            "one a single ein einem einen einer 1 一 单",
            "two zwei 2 两 二",
            "three drei 3 三",
            "four vier 4 四",
            "five fuenf 5 五",
            "six sechs 6 六",
            "seven sieben 7 七",
            "eight acht 8 八",
            "nine neun 9 九",
            "ten zehn 10 十",
        ),
        start=1,
    )
    for name in names.split()
}

# Questions, and what nobody but a language model can do.
ASKING = frozenset(
    "what whats which who whom whose when where why how is are was were does do did can could should will would has "
    "have may wer wen wem wessen wann wo woher wohin warum wieso weshalb wie welche welcher welches welchen welchem "
    "wieviel wieviele ist sind hat haben kann gibt darf muss soll wird werden kannst explain tell erklaere erklaer "
    "nenne sag sage zeig zeige describe beschreibe list show worum wovon woran wofuer womit wodurch".split()
)
HOW = frozenset(
    "what whats which who whom whose when where why how wer wen wem wessen wann wo woher wohin warum "
    "wieso weshalb wie welche welcher welches welchen welchem wieviel wieviele was".split()
)
ABOUT_ZH = "(?:讲|说|写)了?的?(?:是|些)?(?:什么|啥)(?:内容|事情?)?|主要(?:讲|说)了?什么|关于什么"
HOW_ZH = "怎么|怎样|如何|为什么|什么|哪|谁|多少"
ASKING_ZH = (
    "什么|甚么|谁|哪|多少|几|怎么|怎样|如何|为何|为什么|吗|呢$|何时|是否|能否|告诉我|解释|介绍|"
    "可不可以|能不能|有没有|是不是"
)
MAKING = frozenset(
    "write compose draft generate invent imagine pretend act play sing paint draw calculate compute "
    "solve code program implement fix debug schreib schreibe dichte verfasse erfinde erzaehl erzaehle "
    "spiel spiele zeichne male rechne berechne loese programmiere programmier ignore forget ignoriere "
    "vergiss sing singe plan plane".split()
)
MYSELF = frozenset("i im my we ich wir mein meine 我".split())
MAKING_ZH = "写|作一?首|编|画|唱|算|计算|讲|创作|扮演|模拟|生成|忽略|忘记|设计|推荐"

SUMMARIZE_ZH = (
    "总结|概括|概述|归纳|摘要|缩写|缩短|精简|简述|简单说说?|长话短说|浓缩|提炼|主要内容|中心思想|大意|小结|要点"
)
TRANSLATE_ZH = "翻译|译(?=[成为作一]|$)|翻(?=一?下?[成为译])"

LEADING = frozenset(
    "in on at for from to with by of about since until an auf aus bei mit nach seit von zu um fuer bis ab".split()
)
OPENING = frozenset(
    "hey hm hmm ah well mhm so und and ok okay but also then aber well now hi hello hallo na dann please "
    "bitte ja oh".split()
)
PREAMBLE = (
    r"(?:according to|based on|from|in|given|laut|nach|gemaess|gemäß|in)\s(?:this|the|that|my|diesem|dem|diesen|den)"
    r"\s\w+(?:\s(?:above|below|oben|unten))?\s*[,:]?\s+|(?:根据|依据|按照)[^，,]{1,10}[，,]"
)

TOOL = (
    r"\bnlp ?tasks?\b|(?<![\w-])--?[a-z][\w-]+|\b(?:this|the) (?:tool|program|software|package|library|cli|app)\b|"
    r"\b(?:dieses|das|diesem|dem) (?:werkzeug|programm|tool|paket|kommandozeilenprogramm)\b|"
    r"\bdieser? (?:software|bibliothek)\b|"
    r"(?:这个|本|该)?(?:工具|软件|程序|命令行)"
)

# Names for languages that a mistake may be mended to.
_LANGUAGES = (
    "english german french spanish italian chinese japanese korean russian portuguese dutch polish turkish arabic "
    "hindi swedish danish norwegian finnish greek czech hungarian ukrainian vietnamese latin "
    "englisch englische englischen deutsch deutsche franzoesisch franzoesische spanisch spanische italienisch "
    "italienische chinesisch chinesische japanisch japanische koreanisch russisch russische portugiesisch "
    "niederlaendisch polnisch tuerkisch arabisch schwedisch daenisch finnisch griechisch tschechisch ungarisch"
)
_OFTEN_MISTYPED = (
    "summarize summarise summary summarization translate translation translated zusammenfassen zusammenfassung fasse "
    "zusammen uebersetze uebersetzen uebersetzung please following article sentence sentences paragraph document "
    "message folgenden artikel absatz dokument saetzen nachricht bullet points headline words shorten condense "
    "kuerze hello hallo thanks danke bitte tschuess goodbye heisst bedeutet install installation "
    "installieren licence license lizenz "
    "plugin plugins benchmark benchmarks command commands language languages option options question questions"
)
MENDED: frozenset[str] = frozenset(f"{_OFTEN_MISTYPED} {_LANGUAGES}".split())
