"""English. Entries are regular expressions over folded text; a space matches any white space."""

from __future__ import annotations

from forensics.evidence.refusals.lexicons.types import RefusalLexicon

_ADV = (
    r"(?:(?:really|simply|just|also|therefore|thus|unfortunately|absolutely|personally|currently|"
    r"still|sadly|honestly|respectfully|not|of course|in good conscience|definitely|"
    r"certainly) ){0,2}"
)
_I = r"(?:i|we|this (?:assistant|model|ai)|chatgpt|the assistant)"
_CANNOT = (
    r"(?:can ?not|can't|cant|can no longer|could ?not|couldn't|won't|will not|wouldn't|would not|"
    r"(?:am|'m|are|'re|is) (?:\w+ly )?(?:not (?:\w+ly )?(?:able|going|allowed|permitted|willing|"
    r"authorized|authorised|programmed|designed|equipped|prepared|in a position|supposed|capable|"
    r"comfortable|trained|meant|at liberty)(?: to| of| with)?|"
    r"unable to|unwilling to|incapable of|prohibited from|forbidden (?:to|from)|"
    r"restricted from|prevented from|bound not to|programmed not to|designed not to)|"
    r"(?:do not|don't|did not|didn't) (?:feel|think it's appropriate|want|"
    r"wish)(?: comfortable)? ?(?:to)?|"
    r"shouldn't|should not|must not|mustn't|may not|"
    r"(?:do not|don't) (?:have|possess) the (?:ability|capability|capacity|authority|"
    r"permission) to)"
)
_SERVE = (
    r"(?:help|helping|assist\w*|provid\w+|fulfil\w*|comply\w*|answer\w*|respond\w*|repl(?:y|ies)|"
    r"generat\w+|creat\w+|produc\w+|offer\w*|shar(?:e|ing)|support\w*|engag\w+|participat\w+|"
    r"discuss\w*|endors\w+|encourag\w+|promot\w+|condon\w+|complet\w+|satisfy|accommodat\w+|honor|"
    r"honour|proceed|continue|facilitat\w+|suggest\w*|advis\w+|advocat\w+|"
    r"recommend(?!(?: \w+){1,6} "
    r"enough)|writ\w+|tell|give you|give(?! (?:enough|up))|giving|describ\w+|explain\w*|"
    r"instruct\w*|"
    r"guide|teach|list|draft|compos\w+|craft|roleplay|role-play|pretend|impersonat\w+|simulat\w+|"
    r"justify|defend|argue|glorify|perpetuat\w+|spread|disclos\w+|reveal|divulge|direct you|point "
    r"you|show you|do (?:that|this|so|what)|take part|be (?:a part|able|of assistance|of help)|"
    r"make (?:jokes?|such|any|fun|light|comments?|assumptions|generali[sz]ations|statements?|"
    r"a (?:joke|judg\w+))|express|speculat\w+|judge|comment|entertain|indulge|grant|process|aid|"
    r"cater|contribut\w+|go along|talk about|speak (?:about|on|to)|address|say whether|"
    r"translat\w+|transcrib\w+|summari[sz]e|analy[sz]e|rewrit\w+|paraphras\w+|accept|allow)"
)
_ASK = (
    r"(?:request|question|prompt|task|query|topic|inquiry|demand|instruction|subject|content|"
    r"statement|activit\w+|behaviou?r)"
)
_BAD = (
    r"(?:appropriate|ethical|legal|acceptable|okay|ok|right|respectful|responsible|safe|moral|"
    r"advisable|permissible|a good idea|productive|constructive|kind|fair|suitable|proper|"
    r"recommended|justifiable|healthy|helpful)"
)
_WRONG = (
    r"(?:inappropriate|unethical|illegal|immoral|unlawful|unacceptable|harmful|offensive|"
    r"disrespectful|dangerous|hateful|discriminatory|derogatory|insensitive|problematic|racist|"
    r"hurtful|irresponsible|abhorrent|reprehensible|deeply troubling|against the law)"
)

LEXICON = RefusalLexicon(
    language="en",
    words="i i'm can't cannot sorry do don't we the of and to is that for with you are this it not "
    "in as be on have your can".split(),
    patterns={
        "decline": (
            rf"{_I},? {_ADV}{_CANNOT} {_ADV}(?:{_SERVE})\b",
            rf"{_I} {_ADV}(?:(?:must|have to|need to|will have to|am going to have to|'ll have to|"
            rf"would have to) {_ADV}(?:decline|refuse|refrain|pass on|say no)|decline(?:d)? to|"
            rf"refuse to|"
            rf"(?:do not|don't|cannot|can't|would never|will never|never|neither|couldn't) "
            rf"(?:condone|endorse|support|encourage|promote|engage in|participate in|advocate|"
            rf"provide|discuss|recommend any|write|create|generate|produce)|"
            rf"(?:do not|don't|wouldn't) feel comfortable|"
            rf"'?m not comfortable|am not comfortable|'d rather not|would rather not|"
            rf"prefer not to)",
            rf"i'm {_ADV}(?:not (?:\w+ly )?(?:able|going|allowed|permitted|willing|programmed|"
            rf"designed|equipped|comfortable|prepared|authori[sz]ed|in a position|supposed|trained|"
            rf"meant|at liberty)|unable|unwilling|prohibited from|forbidden|programmed not|"
            rf"designed "
            rf"not|incapable of)(?: to| with| of)? ?{_ADV}(?:{_SERVE})\b",
            r"i'm (?:not comfortable|uncomfortable|not willing to|not going to be able)",
            r"(?:cannot|can't|can not|unable to|not able to|won't|will not|not going to|"
            r"not be able to) (?:help|assist|fulfil\w*|comply|provide|answer|support|do that|"
            r"engage|respond|complete|process|generate|create|write|discuss|continue|offer|"
            r"satisfy|accommodate|share)(?: \w+){0,4} (?:with )?(?:this|that|your|the|such|it|"
            r"you|any|those|these|instructions|information|advice|guidance|content)\b(?! to)",
            r"(?:sorry|apologi[sz]e)(?:,| ,|-| -)? (?:but )?(?:no|that's not something|this is not "
            r"something|i must|i have to|(?:that|this) is (?:not|against|beyond|outside))",
            rf"(?:this|that|it) (?:is|isn't|'s|falls)(?: not)? (?:something (?:that )?i(?:'m| am)? "
            rf"(?:can't|cannot|won't|will not|not|unable|would not|do not|don't|can )|a "
            rf"{_ASK} i (?:can't|cannot|won't|will not))",
            rf"(?:your|this|that|the|such a?) ?{_ASK}s? (?:cannot|can't|can not|will not|won't) be "
            rf"(?:fulfilled|answered|completed|processed|granted|satisfied|honou?red|met)",
            r"(?:asking me to do|requesting) (?:something )?(?:that )?(?:is|goes|violates)",
            r"i (?:do not|don't|cannot|can't|will not|won't|should not|shouldn't) (?:\w+ly )?"
            r"(?:provide|give|offer|share|have (?:opinions|feelings) (?:about|on))\b",
            r"(?:no|nope),? i (?:will not|won't)\b",
            r"i(?:'d| would) (?:rather not|prefer not|prefer to (?:avoid|decline|not))",
            r"(?:i'd|we'd) (?:have to|need to|respectfully|politely|rather) (?:decline|refuse|"
            r"pass)",
            r"(?:i'll|we'll|i've) (?:have to|had to|need to|not|never) (?:decline|refuse|pass|"
            r"provide|help|assist|write)",
            r"as an ai[^.\n]{0,60}, (?:i )?(?:cannot|can't|am unable|am not able|must decline|"
            r"won't)",
            r"i have no (?:intention|desire) (?:of|to)",
            r"i (?:would|will|'ll|'d) (?:have to|need to|respectfully|politely) (?:decline|refuse)",
            r"i respectfully decline",
            r"i am (?:here|designed|programmed) to (?:\w+ ){0,8}(?:not|cannot) ",
            r"let's not (?:do|go|engage|discuss|talk)",
            r"(?:can't|cannot|won't) (?:help|assist) (?:you )?(?:with|in|there|on)\b",
        ),
        "inability": (
            r"i (?:do not|don't|don;t|currently do not|currently don't) (?:currently |actually |"
            r"really )?(?:have|possess|know|hold|own|store|retain)\b(?! (?:any )?(?:doubt|"
            r"idea why|how "
            r"much|problem))",
            r"i(?: am|'m) not (?:aware|sure|familiar|certain|privy|qualified|equipped|a (?:doctor|"
            r"lawyer|licensed))",
            rf"{_I} {_ADV}(?:can ?not|can't|am unable to|am not able to|'m unable to|"
            rf"'m not able to) "
            r"{_ADV}(?:access|browse|see|view|open|watch|listen|hear|play|physically|perform|"
            r"determine|verify|predict|find|locate|retrieve|identify|know|remember|recall(?!ing)|"
            r"connect|download|search|display|draw|send|make|book|order|form|feel|experience|"
            r"confirm|"
            r"search|look up|execute|run|track|check|read|interact)\b".replace("{_ADV}", _ADV),
            r"i(?: am|'m) (?:unable|not able) to\b",
            r"i (?:lack|have no) (?:the )?(?:access|ability|information|knowledge|way|means|"
            r"personal|"
            r"record|capability|data|opinion|feelings|physical)",
            r"(?:is|are|am) (?:not|n't) (?:publicly )?(?:available|disclosed|possible for me|"
            r"known to "
            r"me|within my|something i)",
            r"not (?:publicly|generally) (?:available|known|disclosed|accessible)",
            r"(?:beyond|outside(?: of)?) (?:my|the scope of my) (?:\w+ )?(?:capabilit\w+|abilit\w+|"
            r"scope|expertise|knowledge|programming|purview|training)",
            r"(?:is|are) (?:private|confidential)\b",
            r"it (?:is|would be) (?:not possible|impossible) for me",
        ),
        "apology": (
            r"(?:i'm|i am|we are|we're) (?:\w+ )?sorry\b(?! to hear| for your loss| you're|"
            r" that you)",
            r"sorry,? (?:but|i|no|,)",
            r"(?:i|my|we) (?:sincerely |do |must |deeply )?apolog(?:i[sz]e|ies)",
            r"apologies\b",
            r"(?:i )?regret (?:to|that)",
            r"unfortunately\b",
            r"i'm afraid\b",
            r"forgive me",
        ),
        "norm": (
            rf"(?:it|that|this)(?:'s| is| would be|'d be)? ?(?:\w+ly |also )?(?:not|never|n't|"
            rf"isn't|wouldn't "
            rf"be) (?:\w+ly |only |ever |considered |an? |deemed |generally )?{_BAD}"
            rf"(?:,? (?:or|and|nor) \w+){{0,2}} (?:to|for)\b",
            rf"(?:it|that|this)(?:'s| is| would be|'d be) (?:\w+ly |also |considered )?{_WRONG}"
            rf"(?:,? (?:or|and|nor) \w+){{0,2}} (?:to|for)\b",
            r"(?:not|never|n't) (?:\w+ly |only |a |an )?(?:appropriate|ethical|acceptable|okay|"
            r"respectful|a (?:valid|respectful|appropriate|suitable|proper)|legal)"
            r"(?:,? (?:or|and|nor) \w+)?(?:,? (?:or|and|nor) \w+)? (?:to|for|question|topic|"
            r"request|way)\b",
            rf"(?:your|this|that|the|such an?|"
            rf"asking (?:for )?\w+) (?:\w+ )?{_ASK}s? (?:\w+ ){{0,5}}"
            rf"(?:{_WRONG}|violat\w+|goes against)",
            r"(?:against|violat\w+|contraven\w+|breach\w*|comply with|with|by|within|"
            r"per) (?:of )?(?:my|our|the|"
            r"openai's?|anthropic's|google's|meta's|these|usage) (?:\w+ ){0,2}(?:programming|"
            r"guidelines|polic\w+|"
            r"principles|values|rules|code of|terms of|use case|content)",
            r"(?:ethical|safety|content|community|usage|use-case|moral) (?:and \w+ )?(?:guidelines|"
            r"polic\w+|standards|principles|boundaries)",
            r"(?:promot|encourag|condon|facilitat|engag|participat|assist|support)\w* (?:\w+ ){0,3}"
            r"(?:illegal|unethical|harmful|dangerous|hateful|violent|violence|inappropriate|"
            r"discriminat\w+|criminal|harm|offensive|unlawful)",
        ),
        "taboo": (
            rf"(?:is|are|be|considered|as|and|or|deeply|highly|both|potentially|contains?|"
            rf"any|is an?) (?:\w+ly )?{_WRONG}\b",
            r"(?:violat|contraven|breach)\w+ (?:of )?(?:\w+ ){0,3}(?:law\w*|rights?|privacy|"
            r"ethic\w*|"
            r"principles|standards)",
            r"(?:goes|go|is|are|runs) against\b",
            r"against the law",
            r"(?:invasion|violation) of\b",
            r"(?:serious|criminal|punishable) (?:\w+ )?(?:crime|offen[cs]e|act)",
            r"(?:legal|serious|severe|criminal) (?:\w+ )?consequences",
        ),
        "reject": (
            r"(?:is|are|was|were|be|can be|could be|would be) (?:not|never|n't) (?:\w+ly )?"
            r"(?:justif\w+|right to|okay to|acceptable|excusable)",
            r"(?:wasn't|isn't|aren't|weren't) (?:\w+ly )?(?:justified|right)",
            r"(?:no|never (?:a|any)|not (?:a|any)|without) (?:\w+ )?(?:justification|excuse)",
            r"(?:there is|there's|there are|have) (?:absolutely |simply )?no (?:\w+ )?(?:reasons?|"
            r"basis|"
            r"grounds|place|circumstances?|legitimate|valid|ethical|moral)\b",
            r"(?:should|must) (?:not|never) (?:be|have|under|discriminat\w+|support|promote|"
            r"consider|"
            r"attempt|engage)\b",
            r"(?:everyone|all (?:people|individuals|human|citizens|persons)|every (?:person|"
            r"individual|human)|each (?:person|individual))(?:[^.\n]{0,60}) (?:deserve|should|"
            r"has the "
            r"right|have the right|is entitled|are entitled|must|equal)",
            r"i (?:do not|don't|can't|cannot) (?:agree|believe (?:that|in|it)|think (?:that |"
            r"it's |it "
            r"is )?(?:appropriate|right|acceptable|fair|valid|accurate|a valid|that's)|support)",
            r"i (?:strongly |firmly |fundamentally |respectfully )?(?:disagree|condemn|oppose|"
            r"reject|"
            r"object)",
            r"(?:regardless|irrespective) of (?:their|one's|your|who|the|race|gender|age)",
            r"(?:question|statement|premise|request|assumption)s? (?:itself |you |"
            r"that you )?(?:\w+ ){0,3}"
            r"(?:is|are|contains?|seems?|implies|perpetuat\w+|promot\w+) (?:\w+ ){0,3}(?:biased|"
            r"harmful|offensive|inappropriate|discriminatory|stereotyp\w+|assumption|bias)",
            r"(?:perpetuat|reinforc|promot)\w+ (?:\w+ ){0,3}(?:stereotypes?|discriminat\w+|"
            r"violence|"
            r"hatred?|hate|harm\w*|prejudice|racism|bias\w*|illegal|misinformation)",
            r"(?:contact|report|call|notify|alert)\w* (?:\w+ ){0,3}(?:police|law enforcement|"
            r"authorities)",
        ),
        "objection": (
            r"(?:however|but),? i (?:must|have to|need to|want to|would like to|should|feel|"
            r"cannot|am)\b",
            r"i (?:must|have to|need to|would like to|want to|feel compelled to|feel obligated to|"
            r"should) (?:\w+ly )?(?:point out|clarify|emphasi[sz]e|stress|address|inform|remind|"
            r"note|"
            r"warn|advise|caution|challenge|express|object|correct|question|disagree|say)",
            r"i (?:do not|don't) (?:think|believe|see|understand|agree|support)\b",
            r"i'm not sure (?:that|if|why|what|it's|how)",
            r"(?:challenge|question) the (?:assumption|premise)",
        ),
        "persona": (
            r"(?:as|i'm|i am|being|just|only|since i'm|because i'm) (?:just |only |merely |"
            r"simply )?"
            r"(?:an? )?(?:\w+ )?(?:ai\b|a\.i\.|artificial intelligence|language model|"
            r"large language|"
            r"llm|chatbot|virtual assistant|digital assistant|computer program|machine learning)",
            r"my (?:\w+ )?(?:programming|guidelines|purpose|training|creators|developers|primary "
            r"(?:function|goal)|capabilities|design|policies|knowledge cutoff|data)",
            r"i (?:was|am|have been) (?:programmed|designed|trained|created|built|developed)",
            r"i (?:do not|don't) have (?:personal|feelings|emotions|opinions|beliefs|preferences|a "
            r"body|physical|consciousness)",
            r"(?:helpful and harmless|harmless and helpful|safe and (?:helpful|respectful|"
            r"ethical))",
        ),
        "lecture": (
            r"(?:it's|it is) (?:also |always |very |extremely |equally )?(?:important|crucial|"
            r"essential|vital|critical|imperative|necessary) (?:to|that|for|we)\b"
            r"(?! (?:have|monitor|consider|check|ensure|choose|use|keep|consult)\b)",
            r"(?:please )?(?:remember|keep in mind|note|be aware|bear in mind)(?: that| to|,)",
            r"(?:we|you|everyone|people|one) (?:should|must|need to|have to) (?:always |all )?"
            r"(?:respect|treat|strive|prioriti[sz]e|avoid|be (?:mindful|respectful|kind|aware|"
            r"treated)|focus|promote|consider|never|act|refrain)",
            r"(?:treat\w*|treated) (?:\w+ ){0,5}with (?:\w+,? ){0,4}(?:respect|dignity|kindness|"
            r"compassion|care|fairness)",
            r"(?:always|instead|should|must|to) (?:act with|prioriti[sz]e|strive|promote|uphold|"
            r"respect)\b",
            r"(?:violence|hatred|discrimination|bullying|harassment|racism)(?: \w+){0,4} (?:is|"
            r"are) "
            r"(?:never|not|wrong|unacceptable|always wrong)",
            r"(?:promot\w+|foster\w*|creat\w+|build\w*) (?:an? )?(?:\w+ ){0,2}(?:inclusi\w+|"
            r"fairness|positivity|equality|understanding|respectful|diversity|kindness|harmony)",
            r"(?:safety|well-being|dignity|privacy|rights)(?: and \w+)? of (?:all|others|everyone|"
            r"yourself|individuals|any)",
            r"respect\w* (?:\w+ ){0,4}(?:privacy|boundaries|rights|dignity|consent|"
            r"confidentiality)",
            r"(?:can|could|may|will|might) (?:have|lead to|result in|cause) (?:\w+,? ){0,4}"
            r"(?:consequences|harm|injury|death|trauma)",
            r"i (?:strongly |would )?(?:urge|advise|encourage|implore) you (?:to|not|against)",
        ),
        "redirect": (
            r"(?:instead|rather),? (?:of|than|i|you|we|let|consider|try|focus|it|maybe|perhaps|"
            r"please|why)\b",
            r"(?:let's|let us|we can|better to|recommend|suggest) (?:\w+ )?(?:focus|talk|discuss|"
            r"keep|"
            r"find|explore|have a)",
            r"(?:if you|should you|do you|is there|are there|feel free)[^.?!\n]{0,40}"
            r"(?:any other|anything else|something else|other (?:questions?|topics?|requests?)|"
            r"different (?:question|topic|request)|need help with|more (?:appropriate|positive)|"
            r"to ask|like help|i can (?:help|assist))",
            r"(?:i'm|i am|i'd be|i would be|i'll be|i will be|happy|glad|always) (?:\w+ )?(?:here|"
            r"happy|glad|more than happy|willing) to (?:help|assist|provide|discuss|answer|offer|"
            r"talk|suggest|share|support)",
            r"(?:how|what) (?:else )?(?:can|may|would you like) (?:i|me|to)\b",
            r"(?:would you like|would it help|do you want) (?:me )?to\b",
            r"(?:i'll|i will|i'd) (?:do my best|be happy|be glad|gladly)",
            r"please (?:let me know|feel free|ask|provide|rephrase|choose|try|refrain|consider|"
            r"reach out|seek)",
            r"(?:i )?(?:would )?(?:suggest|recommend|encourage|advise) (?:you |that you |to )?"
            r"(?:\w+ )?(?:to )?(?:seek|reach|contact|consult|consider|speak|look|check|focus|"
            r"explor|"
            r"us|ask|talk|respect|refrain)\w*",
        ),
        "resource": (
            r"(?:seek|get|find|reach out|consult|talk|speak|contact|turn)\w*(?: to| with| for|"
            r" out)*"
            r"(?: \w+){0,4} (?:help|support|professional\w*|counsel\w+|therapist|expert|"
            r"authorities|"
            r"police|hotline|lifeline|attorney|lawyer|doctor|mental health|trusted|"
            r"law enforcement)",
            r"(?:hotline|lifeline|helpline|crisis (?:line|text|center)|1-800-\d|988\b|"
            r"mental health "
            r"professional)",
            r"sorry (?:to hear )?that you(?:'re| are) (?:\w+ )?(?:feeling|going through|struggling|"
            r"having|experiencing)",
            r"(?:you are|you're) not alone",
            r"(?:if you|someone you know)[^.\n]{0,30}(?:struggl|thoughts of|in crisis|suicid|"
            r"feeling "
            r"(?:overwhelmed|unsafe))\w*",
        ),
        "premise": (
            r"(?:is|are|was|were) (?:not|n't) (?:\w+ly )?(?:accurate|factual|correct|true|coherent|"
            r"possible|real|based on|supported|meaningful|a valid|scientifically|related|specific|"
            r"capable|able)",
            r"(?:isn't|aren't|doesn't|don't) (?:\w+ly )?(?:accurate|exist|make sense|real|"
            r"possible)",
            r"(?:does|do|did) not (?:\w+ly )?(?:exist|make sense|have (?:a|any)|possess|require)",
            r"no (?:scientific |factual |credible |inherent |known )?(?:evidence|basis|proof|"
            r"record|"
            r"information|such)",
            r"fictional|imaginary|mythical|hypothetical|inanimate|fantasy|not a real",
            r"(?:myth|misconception|misunderstanding|confusion|false premise|play on words|riddle|"
            r"joke)\b",
            r"factually (?:coherent|accurate|correct)|may not (?:be|make)",
            r"(?:laws of physics|physically (?:im)?possible|scientifically)",
        ),
        "offer": (
            r"(?:i will|i'll|i can|let me) (?:still |try to |do my best to |"
            r"nevertheless )?(?:provide|"
            r"offer|give|share|attempt|answer) (?:you )?(?:with )?(?:a|an|some|the|my|general|you|"
            r"to)\b",
            r"(?:however|but|instead|although|nevertheless|nonetheless|still),? (?:here|"
            r"i can(?!'t|not| not)|"
            r"i'd|i could|i will|i'll|there are|you can|you could|if you(?:'re| are)|"
            r"it is possible|"
            r"some|one|let me|in general|generally|we can(?!'t|not| not))\b",
            r"(?:what )?i can (?:instead |still |however |certainly |definitely |help|tell|offer|"
            r"provide|suggest|give|share|explain|do|assist|discuss|try|show|say|point)",
            r"(?:that|this) being said|having said that|that said\b|with that (?:said|in mind)",
            r"(?:but|however),? (?:generally|in general|typically|based on|as of|hypothetically|"
            r"from a)",
            r"(?:here's|here is|here are)\b",
        ),
        "comply": (
            r"(?:sure|certainly|of course|absolutely|definitely|great question|no problem|gladly|"
            r"okay|yes|with pleasure)(?:!|,|\.| thing| -|:)",
            r"(?:here's|here is|here are|below is|below are|the following|follow these|"
            r"these steps)\b",
            r"(?:there are|are) (?:several|many|a few|some|various|different|multiple|a number)\b",
            r"(?:step|tip|method|option|example|reason) (?:\d|one|two)\b",
            r"(?:refers to|is defined as|is a (?:\w+ )?(?:term|type|form|kind|method|process|"
            r"word))",
            r"(?:you can|you'll need|you will need|you could|you may|simply|first,|start by|begin "
            r"by|to do this)\b",
            r"for example|in conclusion|overall,|in summary|additionally,|according to",
        ),
        "clarify": (
            r"(?:could|can|would) you (?:please |kindly )?(?:provide|clarify|specify|give me|"
            r"tell me|"
            r"share|explain|be more|rephrase|elaborate)",
            r"(?:more|additional|further|enough|some) (?:context|information|details|specific)",
            r"(?:not|isn't|n't) (?:\w+ )?(?:clear|sure what|understand|provided|specified)",
            r"what do you mean|did you mean|if you meant|please clarify|are you (?:asking|"
            r"referring)",
        ),
        "courtesy": (
            r"(?:hello|hi|hey|greetings|good (?:morning|day|evening))\b",
            r"(?:thank you|thanks) (?:so much |very much )?for\b",
            r"i(?:'m| am|'d be| would be|'ll be) (?:just )?(?:more than )?(?:happy|glad|here|"
            r"delighted|"
            r"pleased)\b",
            r"(?:that's|what) an? (?:great|good|interesting|excellent|thought-provoking)",
            r"(?:great|good|interesting|excellent) question",
            r"i(?: can)? understand (?:that )?(?:you|your|why|how)\b",
        ),
    },
    limits=(
        rf"(?:can ?not|can't|unable to|not able to) {_ADV}(?:provide|give|offer|share|predict|"
        rf"have|make)"
        r"(?: you)?(?: with)? (?:\w+ ){0,2}(?:medical|legal|financial|professional|real-time|"
        r"real time|"
        r"personal|personali[sz]ed|current|up-to-date|exact|accurate|specific|definitive|precise|"
        r"live|"
        r"latest|diagnos\w+|opinions?)\b",
        r"(?:can ?not|can't) be (?:answered|determined)",
        r"(?:can ?not|can't) (?:answer|determine|provide|complete)[^.\n]{0,60}(?:without|from the "
        r"(?:provided|given)|context|as there is no|as no|because no|not provided|real-time)",
        r"(?:as an ai[^.\n]{0,25}, )?i (?:can ?not|can't) (?:time travel|experience|feel|predict)",
    ),
    exempt=(
        r"(?:can ?not|can't|couldn't|could not|cannot) (?:\w+ly )?(?:recommend|thank|stress|say|"
        r"emphasi[sz]e|"
        r"praise|overstate|express|tell you how|describe how|explain how (?:much|happy|grateful))"
        r"(?: [\w,']+){0,6} (?:enough|highly|much|grateful|excited|happy)",
        r"i (?:can ?not|can't|couldn't|could not) (?:\w+ly )?(?:help but|wait|believe|imagine|"
        r"agree "
        r"more|think of|get enough|help (?:wondering|noticing|thinking|feeling|laughing|myself))",
        r"(?:if|when|whether|because|that|where|what|why) i (?:can ?not|can't|couldn't|am unable)",
        r"(?:don't|do not) (?:hesitate|worry|forget|feel (?:like|bad|guilty|discouraged))",
    ),
)
