"""Which language a text is in, by its most frequent words, and the stems of words in it (https://snowballstem.org)."""

from collections.abc import Iterable
from functools import lru_cache

import Stemmer

from mail.search.words import folded

FREQUENT = {  # what hardly any text goes without, and what a query means nothing by
    "ca": "de la i que el a en un per amb les no una els del és al si més com però gràcies o",
    "cs": "a se v na je že s z do o k i to jako za by ale pro jsou od po jsem být která děkuji nebo už jen",
    "da": "og i at det er en den til som på de med han af for ikke der var jeg vi kan har et du os skal venlig"
    " hilsen",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden"
    " aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum haben nur oder"
    " aber vor zur bis mehr durch man sein wurde ich wir ihnen ihr ihre bitte grüße",
    "en": "the of and to in a is that for it as was with be by on not he i this are or his from at which but"
    " have an had they you were their one all we can her has there been if more when will would who so no"
    " our your please what my",
    "es": "de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí"
    " porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos gracias hola",
    "fi": "ja on ei että se hän oli joka mutta ovat kun niin myös tai jos mitä minä sinä me te he ole kuin voi"
    " nyt terveisin",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec"
    " son nous vous je mais ou si leur cette été être ont aux bonjour merci votre notre",
    "hu": "a az és hogy nem is egy van ez meg csak de már volt mint ha még el azt kell vagy minden üdvözlettel",
    "id": "yang dan di dengan untuk dari ini itu tidak dalam pada adalah ke akan saya kami anda juga atau bisa"
    " terima kasih",
    "it": "di e il la che in a per un del non è una si da con i le dei al come più della sono gli nel alla"
    " anche ma ci se ho ha questo grazie ciao vi mi",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om ook als maar dan door bij nog uit"
    " naar ze wij je deze ik wordt heeft kan hebben worden onze uw groeten",
    "no": "og i det er på til som en for at av med har de ikke den jeg vi et om du var kan men fra eller hilsen",
    "pl": "w i na z do się nie że to jest o jak za od po dla są ale przez ich tak czy tylko już może proszę"
    " dziękuję nas",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas foi ao ele das à seu"
    " sua ou ser quando muito nos já está eu também pelo obrigado você isso",
    "ro": "de în și a la cu pe că nu este o un din care pentru mai sau au fost să se ce dar prin ne vă"
    " mulțumesc",
    "sv": "och i att det som en på är av för med till den har inte om ett jag han men var vi från de så kan när"
    " hälsningar",
    "tr": "ve bir bu için ile da de çok olarak daha ne gibi var olan kadar ben sen biz siz ama değil"
    " teşekkürler merhaba",
}  # fmt: skip
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fa": "persian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
BY_SCRIPT = (  # first and last letter, and the languages to try
    ("\u0370", "\u03ff", ("el",)),
    ("\u0400", "\u052f", ("ru",)),
    ("\u0530", "\u058f", ("hy",)),
    ("\u0600", "\u06ff", ("ar", "fa")),
    ("\u0900", "\u097f", ("hi",)),
    ("\u0b80", "\u0bff", ("ta",)),
)
LATIN = tuple(sorted(FREQUENT))
FEW = 12  # words that show no language get the stems of all when they are so few
MOST_LANGUAGES = 2
SEEN = 400  # words are enough to tell a language

_WORDS = {language: frozenset(text.split()) for language, text in FREQUENT.items()}
_LANGUAGES = {
    word: [language for language in LATIN if word in _WORDS[language]] for known in _WORDS.values() for word in known
}
MEANINGLESS = frozenset(folded(word) for known in _WORDS.values() for word in known)
_stemmers = {language: Stemmer.Stemmer(name, 0) for language, name in STEMMERS.items()}


def languages_of(plain: Iterable[str]) -> tuple[str, ...]:
    """Return the Latin-script languages that a text is likely in, at most two; () when nothing tells.

    Takes its words in lower case, accents kept.
    """
    seen = list(plain)[:SEEN]
    counts = dict.fromkeys(LATIN, 0)
    for word in seen:
        for language in _LANGUAGES.get(word, ()):
            counts[language] += 1
    best = max(counts.values())
    if best < 2 and len(seen) > 1:  # noqa: PLR2004 - one may be chance
        return ()
    likely = sorted((name for name, count in counts.items() if count and count * 4 >= best * 3), key=counts.__getitem__)
    return tuple(sorted(likely[-MOST_LANGUAGES:]))


def languages_to_index(plain: Iterable[str]) -> tuple[str, ...]:
    """Return the Latin-script languages whose stems a text is indexed by."""
    seen = list(plain)
    return languages_of(seen) or (LATIN if len(set(seen)) <= FEW else ("en",))


@lru_cache(maxsize=100_000)
def stems(plain: str, latin: tuple[str, ...]) -> tuple[str, ...]:
    """Return ``language~stem`` for each language that the word's script is written in; ``latin`` are those of Latin."""
    if not plain or plain.isdigit():
        return ()
    return tuple(f"{language}~{folded(_stemmers[language].stemWord(plain))}" for language in _of(plain[0], latin))


def _of(letter: str, latin: tuple[str, ...]) -> tuple[str, ...]:
    for first, last, languages in BY_SCRIPT:
        if first <= letter <= last:
            return languages
    return latin if letter < "\u0250" else ()
