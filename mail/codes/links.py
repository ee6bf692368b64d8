"""What links are for."""

# ruff: noqa: E501, RUF001 - rows of words; every alphabet is meant

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from mail.codes.reading import MAX_URL_LENGTH, Anchor
from mail.codes.values import Kind, Link

MOST_LINKS = 100

_CONTROL = re.compile(r"[\x00-\x20\x7f]+")
_FOOTER = re.compile(
    r"unsub|opt[-_ ]?out|abmeld|abbestell|désabonn|desabonn|desinscr|darse de baja|cancelar suscri|descadastr|disiscri|"
    r"afmeld|uitschrijv|avregistrer|afmeld|wypisz|odhlás|отпис|отказат|退订|退訂|配信停止|수신거부|إلغاء الاشتراك|"
    r"preferences|einstellungen|privacy|datenschutz|confidentialité|privacidad|privacidade|terms\b|legal\b|impressum|imprint|"
    r"mentions légales|agb\b|cookies?\b|view (?:it |this )?(?:email |mail )?in (?:your )?browser|im browser|隐私|プライバシー|"
    r"개인정보|политик",
    re.IGNORECASE,
)
_SOCIAL = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|instagram|linkedin|youtube|tiktok|pinterest|threads|vk|weibo|discord|t)\."
    r"(?:com|net|me|gg)$|(?:^|\.)(?:apps\.apple|play\.google)\.com$"
)
_VERIFIES = re.compile(
    r"verif|confirm|activat|\bactiver|validat|reset|magic|authenticat|authoriz|new password|set (?:a|your) password|"
    r"accept (?:the |your )?invit|complete (?:your )?(?:registration|sign)|one[-_ ]?time|passwordless|"
    r"bestätig|bestaetig|aktivier|freischalt|zurücksetz|zuruecksetz|neues passwort|"
    r"vérifi|activer|réinitialis|reinitialis|nouveau mot de passe|"
    r"activa[rt]?\b|restablec|nueva contraseña|ativar|ative\b|redefin|nova senha|"
    r"conferma|attiva\b|reimposta|bevestig|activeer|bekräft|aktivera|återställ|bekreft|bekræft|nulstil|vahvist|"
    r"potwierd|aktywuj|zresetuj|ověř|potvr|aktivov|megerős|aktivál|doğrula|onayla|etkinleştir|sıfırla|"
    r"подтверд|podtverd|активир|сброс|восстанов|підтверд|επιβεβαί|επαλήθ|xác (?:minh|nhận)|kích hoạt|verifikasi|konfirmasi|aktifkan|"
    r"验证|驗證|激活|确认|確認|重置|認証|有効化|完了|再設定|인증|확인|활성화|재설정|تأكيد|تحقق|تفعيل|تایید|אימות|אשר|सत्याप|पुष्टि|ยืนยัน|"
    r"重設|重设|obnov|visszaállít|скинут|скидан|відновл|потвърд|đặt lại|atur ulang|รีเซ็ต|επαναφορ|بازنشانی|بازیابی|nollaa|varmen|varmista|"
    r"tilbakestill|איפוס|לאפס|रीसेट|restabl|potrdi",
    re.IGNORECASE,
)
_ENTERS = re.compile(
    r"sign[-_ ]?in|log[-_ ]?in\b|login|anmelde|einlogg|connexion|iniciar sesi|entrar|acced|inlog|logga in|zaloguj|войти|"
    r"登录|登入|ログイン|サインイン|로그인|تسجيل الدخول|přihl|prihlás|bejelentkez|увійти|вхід|đăng nhập|masuk|เข้าสู่ระบบ|σύνδεσ|συνδεθ|ورود|kirjaudu|"
    r"logg inn|log ind|התחבר|כניסה|लॉगिन|साइन इन|giriş|connect|inicia sessió|conecta|autentific|prijav|logg? deg",
    re.IGNORECASE,
)
_FOLLOW = re.compile(
    r"click|tap\b|link|button|follow|visit|klick|folgen|cliqu|suivez|lien|clic\b|enlace|botón|clique|link|botão|clicca|klik|"
    r"kliknij|klepn|нажм|ссылк|перейд|tıkla|bağlantı|nhấp|点击|點擊|链接|鏈接|クリック|リンク|링크|클릭|رابط|اضغط|"
    r"\bhere\b|\bhier\b|\bici\b|\baqu[ií]\b|\bqui\b|此处|こちら|여기|:\s*$",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"[?&#;](?:\w*(?:token|secret|ticket|otp|nonce|jwt|confirmation|activation|verification|oob)\w*|code|key|hash|sig)="
    r"[\w.~%-]{8,}",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[=/](?=[\w.~%-]*\d)[\w.~%-]{6,}")


def classified(subject: str, anchors: Iterable[Anchor]) -> list[Link]:
    """Return the first 100 links that lead to the web, each address once, in reading order."""
    found: dict[str, Link] = {}
    for anchor in anchors:
        url = _CONTROL.sub("", anchor.url) if len(anchor.url) <= MAX_URL_LENGTH else ""
        if not url.lower().startswith(("http://", "https://")) or not (parts := _parts(url)):
            continue
        link = Link(url, anchor.text, _kind(anchor, parts, subject[:1_000]))
        if url not in found or (found[url].kind != Kind.VERIFICATION and link.kind == Kind.VERIFICATION):
            found[url] = link if url not in found else Link(url, found[url].text, link.kind)
        if len(found) == MOST_LINKS:
            break
    return _with_only_secret(list(found.values()))


def _with_only_secret(links: list[Link]) -> list[Link]:
    """Return the links; where none says what it is for, in any language known here, the only one with a secret does."""
    secrets = [link for link in links if link.kind is Kind.OTHER and _SECRET.search(link.url)]
    if len(secrets) != 1 or any(link.kind is Kind.VERIFICATION for link in links):
        return links
    return [replace(link, kind=Kind.VERIFICATION) if link in secrets else link for link in links]


def _parts(url: str) -> tuple[str, str] | None:
    """Return host and the rest of an address; None for what is none."""
    try:
        split = urlsplit(url)
        host = (split.hostname or "").lower()
    except ValueError:
        return None
    return (host, f"{split.path}?{split.query}#{split.fragment}".rstrip("?#")) if host else None


def _kind(anchor: Anchor, parts: tuple[str, str], subject: str) -> Kind:
    host, rest = parts
    if _FOOTER.search(anchor.text or rest) or _SOCIAL.search(host) or _FOOTER.search(rest[:200]):
        return Kind.FOOTER
    if rest in {"", "/"} and not _VERIFIES.search(anchor.text):
        return Kind.OTHER
    is_verification = _is_called_so(anchor, rest) or _is_asked_for(anchor, rest, subject)
    return Kind.VERIFICATION if is_verification else Kind.OTHER


def _is_called_so(anchor: Anchor, rest: str) -> bool:
    """Return whether its own words say that it verifies, or lets in whoever holds the token in it."""
    if _VERIFIES.search(anchor.text) or _VERIFIES.search(rest[:300]):
        return True
    return bool((_ENTERS.search(anchor.text) or _ENTERS.search(rest[:300])) and _TOKEN.search(rest))


def _is_asked_for(anchor: Anchor, rest: str, subject: str) -> bool:
    """Return whether the words before an address that says nothing itself ask to follow it so as to verify."""
    before = _last_paragraph(anchor.before)
    if anchor.text and not _FOLLOW.search(anchor.text) and not anchor.text.startswith(("http", "www.")):
        return False
    if not _FOLLOW.search(f"{before} {anchor.text}"):
        return False
    return bool(
        _VERIFIES.search(before) or (_ENTERS.search(before) and _TOKEN.search(rest)) or _VERIFIES.search(subject)
    )


def _last_paragraph(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip(" <>()*_")]
    return lines[-1] if lines else ""
