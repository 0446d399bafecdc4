"""Portuguese."""

from __future__ import annotations

from forensics.evidence.refusals.lexicons.types import RefusalLexicon

LEXICON = RefusalLexicon(
    language="pt",
    words="o os as que de em um uma é por com para não se do da no na como seu mais você isso mas "
    "ao posso desculpe".split(),
    patterns={
        "decline": (
            r"(?:não (?:te |lhe |o |a |me )?(?:posso|podemos|poderei|poderia|consigo|vou|devo|"
            r"quero|estou (?:autorizad[oa] a|apt[oa] a|"
            r"dispost[oa] a|programad[oa] para)|sou capaz de|tenho permissão para|me é possível)|"
            r"sou incapaz de) "
            r"(?:\w+mente )?(?:te |lhe |o |a )?(?:ajud|auxili|fornec|oferec|dar|respond|cumpr|ger|"
            r"cri|escrev|compartilh|partilh|explic|descrev|"
            r"discut|particip|apoi|promov|incentiv|recomend|suger|aconselh|atend|complet|"
            r"fazer (?:isso|isto)|revel|diz|mostr|"
            r"coment|continu|realiz|traduz|colabor|prestar|falar)\w*",
            r"(?:devo|tenho de|tenho que|preciso) (?:recusar|declinar|me abster)|(?:recuso-me|"
            r"me recuso)\b",
            r"não (?:apoio|promovo|incentivo|tolero|aprovo|forneço)\b",
        ),
        "inability": (
            r"não (?:tenho|possuo|disponho de) (?:\w+ ){0,3}(?:acesso|informaç\w+|dados|"
            r"capacidade|conhecimento|opini\w+|sentimentos)",
            r"não (?:posso|consigo) (?:acessar|aceder|navegar|ver|abrir|verificar|prever|saber|"
            r"determinar|consultar)",
            r"não sei\b|desconheço\b",
        ),
        "apology": (r"(?:desculp\w+|lamento|sinto muito|peço desculpas?|infelizmente|perdão)\b",),
        "norm": (
            r"não (?:é|seria) (?:\w+ )?(?:apropriad[oa]|étic[oa]|corret[oa]|adequad[oa]|legal|"
            r"aceitável|permitid[oa])(?: \w+)?",
            r"(?:viola|violam|violaria|vai contra|contra) (?:\w+ ){0,2}(?:políticas|diretrizes|"
            r"princípios|normas|leis?)",
            r"(?:atividades?|conteúdos?|comportamentos?|atos) (?:\w+ )?(?:ilega|prejudicia|"
            r"violent|ofensiv|perigos)\w*",
        ),
        "persona": (
            r"(?:como|sou) (?:um|uma) (?:modelo|ia\b|inteligência artificial|assistente)",
            r"(?:fui|sou) (?:programad|projetad|treinad|criad|desenvolvid)[oa]",
        ),
        "lecture": (
            r"é (?:muito )?(?:importante|essencial|fundamental|crucial) (?:que|lembrar|respeitar|"
            r"ressaltar|notar)?",
            r"(?:lembre-se|tenha em mente)\b",
        ),
        "redirect": (
            r"(?:em vez disso|em vez de|ao invés)\b",
            r"se (?:você )?(?:tiver|precisar|quiser)[^.\n]{0,25}(?:outr[ao]s?|alguma|mais)\b",
            r"(?:posso|ficarei feliz em|estou aqui para|terei prazer em) (?:te |lhe )?ajudar",
        ),
        "resource": (
            r"(?:procur|consult|contat|fal)\w+ (?:\w+ ){0,4}(?:ajuda|profissional|médico|advogado|"
            r"autoridades|polícia)",
        ),
        "premise": (r"não (?:existe|é verdade|há evidências|é possível)|fictíci[oa]|mito\b",),
        "offer": (
            r"(?:no entanto|porém|contudo|mas|entretanto),? (?:posso|aqui|eu posso)\b",
            r"(?:dito isso|dito isto)|(?:algumas (?:ideias|dicas|sugestões))",
        ),
        "comply": (
            r"(?:claro|com certeza|certamente|sim|com prazer|perfeito)[,.!:]",
            r"(?:aqui (?:está|estão|vai)|a seguir|primeiro|passo \d|por exemplo|em resumo|"
            r"você pode|existem)\b",
        ),
        "clarify": (
            r"(?:poderia|pode) (?:\w+ )?(?:fornecer|esclarecer|especificar)|"
            r"mais (?:contexto|informações|detalhes)",
        ),
        "courtesy": (r"(?:olá|oi|obrigad[oa]|entendo que|compreendo que)\b",),
    },
    exempt=(
        r"não (?:posso|consigo|poderia) (?:\w+ )?(?:acreditar|esperar|deixar de|imaginar|parar de|"
        r"evitar|"
        r"recomendar (?:\w+ )?(?:o )?(?:suficiente|bastante)|"
        r"agradecer (?:\w+ )?(?:o )?(?:suficiente|bastante))",
        r"(?:se|quando|porque|que) (?:eu )?não (?:posso|consigo)",
    ),
)
