"""How people write instructions to language models: data, no rules. All in lower case."""

# ruff: noqa: E501, ISC004, RUF001 - patterns and words of many languages, a line each

from __future__ import annotations

from typing import NamedTuple


class Override(NamedTuple):
    """Words of one language that, in one sentence, tell a model to drop what it was told before."""

    verbs: tuple[str, ...]
    priors: tuple[str, ...]
    nouns: tuple[str, ...]


# English has a pattern of its own: there, people tell one another to disregard instructions as well.
OVERRIDES = (
    Override(
        ("ignorier", "vergiss", "vergessen sie", "missachte", "verwirf", "überschreib"),
        ("vorherige", "bisherige", "obige", "vorangegangene", "frühere", "vorigen"),
        ("anweisung", "instruktion", "prompt", "systemvorgabe"),
    ),
    Override(
        ("ignore", "oublie", "ne tiens pas compte", "ne tenez pas compte", "fais abstraction"),
        ("précédent", "antérieur", "ci-dessus"),
        ("instruction", "consigne", "directive"),
    ),
    Override(
        ("ignora", "ignore", "olvida", "descarta", "haz caso omiso", "no hagas caso"),
        ("anterior", "previa", "previo"),
        ("instruccion", "indicacion", "órdenes", "directrices"),
    ),
    Override(
        ("ignore", "ignora", "esqueça", "esquece", "desconsidere"),
        ("anterior", "prévia", "acima"),
        ("instruç", "diretriz", "ordens"),
    ),
    Override(
        ("ignora", "dimentica", "non tenere conto", "trascura"), ("precedent", "sopra"), ("istruzion", "direttiv")
    ),
    Override(("negeer", "vergeet"), ("vorige", "eerdere", "voorgaande", "bovenstaande"), ("instructie", "opdracht")),
    Override(
        ("zignoruj", "ignoruj", "pomiń", "zapomnij"), ("poprzedni", "wcześniejsz", "powyższ"), ("instrukcj", "polece")
    ),
    Override(
        ("игнорируй", "проигнорируй", "забудь", "не обращай внимания", "отбрось"),
        ("предыдущ", "прежн", "прошл", "вышеуказанн"),
        ("инструкци", "указани", "команд"),
    ),
    Override(("ігноруй", "проігноруй", "забудь"), ("попередн", "минул"), ("інструкці", "вказівк")),
    Override(("yok say", "unut", "görmezden gel", "dikkate alma"), ("önceki", "yukarıdaki"), ("talimat", "yönerge")),
    Override(("ignorera", "bortse från", "glöm"), ("tidigare", "föregående"), ("instruktion", "anvisning")),
    Override(("ignorer", "glem", "se bort fra"), ("tidligere", "forrige", "foregående"), ("instruks", "instruktion")),
    Override(("ohita", "unohda", "jätä huomiotta"), ("aiemmat", "aiempia", "edelliset", "edellisiä"), ("ohje",)),
    Override(
        ("ignoruj", "zapomeň", "zapomeňte", "nedbej"), ("předchozí", "dosavadní", "předešl"), ("pokyn", "instrukc")
    ),
    Override(("ignoră", "uită"), ("anterioare", "precedente"), ("instrucțiun", "instrucţiun")),
    Override(("hagyd figyelmen kívül", "felejtsd el"), ("korábbi", "előző", "eddigi"), ("utasítás",)),
    Override(("αγνόησε", "αγνοήστε", "ξέχασε", "ξέχνα"), ("προηγούμεν",), ("οδηγίες", "εντολές", "οδηγιών")),
    Override(("無視", "忘れ"), ("以前の", "前の", "これまで", "上記", "すべて", "全て"), ("指示", "命令", "プロンプト")),
    Override(("忽略", "忽視", "无视", "無視", "忘记", "忘記"), ("之前", "先前", "以上", "前面", "上述"), ("指令", "指示", "提示")),
    Override(("무시", "잊어", "잊으"), ("이전", "앞의", "위의", "모든", "기존"), ("지시", "명령", "프롬프트")),
    Override(("تجاهل", "تجاهلي", "انس "), ("السابق", "أعلاه"), ("التعليمات", "الأوامر", "تعليمات")),
    Override(("התעלם", "התעלמי", "שכח"), ("הקודמ", "הקודמות", "שלעיל"), ("ההוראות", "הנחיות", "ההנחיות", "הוראות")),
    Override(("نادیده بگیر", "فراموش کن"), ("قبلی", "پیشین", "بالا"), ("دستور", "دستورات")),
    Override(("अनदेखा", "नज़रअंदाज़", "नजरअंदाज", "भूल जा"), ("पिछल", "पहले", "उपरोक्त"), ("निर्देश", "आदेश")),
    Override(("abaikan", "lupakan"), ("sebelumnya", "di atas", "terdahulu"), ("instruksi", "perintah", "arahan")),
    Override(("bỏ qua", "quên"), ("trước", "ở trên"), ("hướng dẫn", "chỉ dẫn", "lệnh", "chỉ thị")),
    Override(("เพิกเฉย", "ไม่ต้องสนใจ", "ลืม", "ละเว้น"), ("ก่อนหน้า", "ข้างต้น", "ที่ผ่านมา"), ("คำสั่ง", "คำแนะนำ")),
)  # fmt: skip

# (what it does, a word without which the pattern cannot match, the pattern). Matched in text of one space per gap.
STRONG: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "override",
        ("instruction", "prompt", "guideline", "directive", "programming", "training", "commands", "rules"),
        r"(?<!not )(?<!n't )(?<!never )\b(?:ignor\w{1,3}|disregard\w{0,3}|forget|overrid\w{1,3}|bypass|discard|set aside) "
        r"(?:absolutely |completely )?(?:(?:(?:all|any|every|each|your|of) ){1,2}(?:of )?(?:the |your |these |those |my )?"
        r"(?:previous|prior|above|earlier|preceding|former|initial|original|existing|current|other)(?: \w{1,12}){0,2}? "
        r"(?:instructions?|prompts?|guidelines?|directives?|programming|training|commands|rules)\b"
        r"|(?:(?:(?:all|any|your) )(?:of )?(?:the |your )?|(?:the |these |those )?(?:previous|prior|above|preceding|foregoing) )"
        r"(?:\w{1,12} ){0,2}?(?:instructions?|prompts?|guidelines?|directives?|programming)\b"
        r"(?! (?:about|regarding|for|on|concerning|from|in (?:my|the|our)|i|we|given|that i|sent|to (?:the|our))))",
    ),
    ("override", ("system prompt",), r"\b(?:reveal|print|output|repeat|show|leak|send|disclose|dump|override|ignore) (?:me )?(?:your |the )?(?:\w{1,12} ){0,2}system prompt\b"),
    ("override", ("new instruction", "updated instruction", "system override", "system message"), r"(?:^|[\[#*<\n]) ?(?:system override|(?:new|updated) (?:system )?instructions?(?: for (?:the )?(?:ai|assistant|model|agent))?|system message) ?[\]:#*>]"),
    ("role marker", ("<|", "[inst]", "[/inst]", "<<sys>>", "<start_of_turn>", "<|im_"), r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|begin_of_text|end_of_turn)\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>"),
    ("role marker", ("system", "instruction"), r"(?:^|\n) ?(?:#{2,4} ?(?:system|instruction)s? ?:?|\[system\]|<system>|begin system prompt|\*{0,2}system ?(?:prompt)?\*{0,2}:) ?\n? ?(?:you are|you must|from now|ignore|the user|new |forward|send|as an? )"),
    ("persona", ("you are now", "act as"), r"\byou are now (?:an? |the |in |operating in |running in )?(?:\w{1,14} ){0,2}(?:developer mode|debug mode|admin mode|god mode|maintenance mode|unrestricted\w*|jailbroken|dan\b|ai\b|assistant|chatbot|language model|agent without)"),
    ("addressed to a model", (" ai ", " ai:", " ai,", " ai-", " ais ", ":ai", " llm", "language model", " assistant", " agent", " bot", "copilot", "chatbot", "summariz", "summaris"), r"\b(?:note|message|attention|instructions?|important|notice|directive|hint|reminder|urgent)(?: message| note)?(?:[,:]? ?(?:to|for)|:) ?(?:the |any |all )?(?:ai|llms?|language models?|ai (?:assistants?|agents?|models?|systems?)|(?:e-?mail|automated|virtual) (?:assistants?|agents?|bots?)|chatbots?|copilot|summari[sz]ers?)\b ?(?:[:,;.!-]|reading|processing|that|who|only)"),
    ("addressed to a model", ("if you are", "if you're", "when you"), r"\b(?:if|as|when) (?:you are|you're) (?:an? |the )?(?:\w{1,12} ){0,1}(?:ai|llm|language model|(?:ai |virtual |automated |email )(?:assistant|agent|bot)|chatbot)\b(?:(?: \w{1,12}){0,4})?,? (?:please |you must |you should |then |do |always |include|reply|respond|ignore|forward|send|reading|processing|say|write|add|output)"),
    ("addressed to a model", ("assistant", "ai agent", "ai model", "llm"), r"(?:^|[\n.!?:] ?)(?:dear |hey |hello |attention )?(?:ai (?:assistant|agent|model)|llm|language model|virtual assistant|assistant),? ?(?:please |you must |must |you are (?:required|instructed|authori[sz]ed) to |immediately )+(?:forward|send|reply|ignore|delete|approve|transfer|execute|run|call|use|mark|rate|include|respond|click|open|summari[sz]e)"),
    ("concealment", ("the user", "your user", "the human", "the operator", "your operator", "your owner", "the owner", "anyone"), r"\b(?:do not|don't|dont|never|without) (?:ever )?(?:tell|telling|inform|informing|mention|mentioning|notify|notifying|alert|alerting|show|showing|ask|asking|reveal|revealing|disclose|disclosing|let)\b(?: \w{1,12}){0,4}? (?:the user|your user|the human|(?:the|your) (?:operator|owner|principal))\b"),
    ("exfiltration", ("inbox", "mailbox", "conversation", "mails", "messages", "contacts"), r"\b(?:forward|send|copy|bcc|upload|export|exfiltrate|leak|e-?mail)\b(?: me| us)? (?:a copy of )?(?:the |all |every |any |your |their |his |her |of |full |entire |whole |complete |last |latest |recent |\d+ ){1,5}(?:(?:user|recipient|owner|company)'s )?(?:e-?mails|mails|messages|inbox|mailbox|conversations?(?: history)?|contacts|address book|mail)\b(?: \w{1,12}){0,6}? to (?:https?://|[\w.+-]{1,60}@)"),
    ("exfiltration", ("api key", "password", "credential", "secret", "access token", ".env"), r"\b(?:forward|send|e-?mail|post|upload|reply with|respond with|include|exfiltrate|leak|print|output|reveal)\b(?: me| us)? (?:all |any |every |your |the |their |of |user's |stored |saved )+(?:\w{1,12} ){0,2}?(?:api keys?|passwords|credentials|secrets|access tokens?|\.env)\b(?: \w{1,12}){0,6}? (?:to (?:https?://|[\w.+-]{1,60}@)|in your (?:reply|answer|response)|by (?:e-?mail|reply))"),
    ("exfiltration", ("![",), r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,200}[?&][^)\s=]{1,40}=(?:\{|\[|%7b|<|\$)"),
    ("tool call", ("<tool_call", "<function_call", "<invoke", "<tool_use", "<function=", "tool_result", "action input"), r"</?(?:tool_calls?|function_calls?|tool_use|tool_results?|function_results?)>|<invoke name=|<function=\w|\naction ?: ?[\w.]{1,40} ?\naction input ?:"),
    ("tool call", ("arguments", "parameters", "tool_input"), r"\{ ?['\"](?:tool|function|name|tool_name|action|recipient_name)['\"] ?: ?['\"][\w.]{1,60}['\"] ?, ?['\"](?:arguments|parameters|args|tool_input)['\"] ?:"),
    ("tool call", ("tool", "function"), r"\b(?:use|call|invoke|run|execute|trigger) (?:the |your )?[`'\"]?\w{1,30}[_.]\w{1,30}[`'\"]?(?: (?:tool|function))\b"),
    ("tool call", ("your send", "your e-mail tool", "your email tool", "your tool"), r"\b(?:use|call|invoke|with) your (?:\w{1,12} ){0,2}tools? to (?:forward|send|delete|transfer|read|list|search)"),
)  # fmt: skip

# Ordinary alone; two different ones close together are not.
WEAK: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("persona", ("from now on",), r"\bfrom now on,? (?:you (?:are|will|must|shall|should)|act|respond|answer|reply)\b"),
    ("persona", ("act as", "pretend"), r"\b(?:act as|pretend (?:to be|you are)|roleplay as) (?:an? |the |if )"),
    ("persona", ("you are",), r"\byou are (?:an? |the )(?:\w{1,14} )?(?:ai|assistant|agent|language model|bot)\b"),
    ("override", ("new task", "real task", "your task", "new role"), r"\byour (?:new|real|actual|only) (?:task|role|goal|objective|instructions?) (?:is|are)\b"),
    ("override", ("end of",), r"\bend of (?:the )?(?:e-?mail|user input|document|untrusted|context|message)\b ?[\]\-=#.:*]"),
    ("override", ("restriction", "filter", "safety"), r"\b(?:without|no|disable|ignore|bypass|remove)(?: \w{1,10}){0,2} (?:restrictions|content filters?|safety (?:guidelines|filters?|rules|checks))\b"),
    ("override", ("developer mode", "jailbreak"), r"\b(?:developer mode|jailbreak)\b"),
    ("concealment", ("anyone", "anybody", "secret", "confirmation"), r"\b(?:do not|don't|never) (?:tell|mention|inform|show|ask)\b(?: \w{1,10}){0,3} (?:anyone|anybody|confirmation)\b|\bwithout (?:asking for |any )?confirmation\b"),
    ("exfiltration", ("forward", "send"), r"\b(?:forward|send) (?:all|every|any|the (?:last|latest|most recent))(?: \w{1,12}){1,6}? to [\w.+-]{1,60}@"),
    ("role marker", ("system:", "assistant:", "human:", "user:"), r"(?:^|\n) ?(?:system|assistant|human|user) ?:"),
    ("addressed to a model", ("ai ", "llm", "language model"), r"\b(?:the|this|any|every) (?:ai|llm|language model|ai assistant|ai agent) (?:must|should|shall|will|reading|processing|has to)\b"),
    ("addressed to a model", ("summar",), r"\bwhen (?:summari[sz]ing|processing|reading|replying to|answering) this (?:e-?mail|message|mail|text)\b"),
)  # fmt: skip

# Before what is only spoken of.
CUES = (
    "said", "says", "saying", "phrase", "phrases", "such as", "e.g.", "for example", "called", "attack", "attacks",
    "like", "injection", "injections", "string", "strings", "payload", "payloads", "wrote", "reads", "example",
    "tell it to", "tells it to", "told it to", "asks the model to", "ask it to", "asks it to", "instructs", "telling",
    "wie", "etwa", "zum beispiel", "z. b.", "comme", "par exemple", "como", "por ejemplo", "come", "например",
    "who write", "who writes", "line", "text", "attackers", "attacker", "tricked", "asked it to", "containing",
)  # fmt: skip
