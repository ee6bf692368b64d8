"""How mail clients mark what they add to HTML: data, no rules."""

from __future__ import annotations

# A quotation, or a container of one with its introduction.
QUOTE_CLASSES = frozenset(
    (
        *(
            "yahoo_quoted",
            "protonmail_quote",
            "tutanota_quote",
            "zmail_extra",
            "moz-forward-container",
            "ydp_yahoo_quoted",
        ),
        *("front-blockquote", "missive_quote", "freshdesk_quote", "hs_reply", "ik_mail_quote", "clean_bq", "zm_quote"),
        *("ntes-mailmaster-quote", "mail-quote-collapse", "sh-quoted-content", "notion-mail-quote", "spark-quote"),
        *(
            "quoted-text",
            "gmail_quote_container_plain",
            "mcntmcntquote",
            "wm-quote",
            "cm_quote",
            "intercom-quote",
            "k9mail",
        ),
    ),
)
QUOTE_IDS = frozenset(
    (
        *("OLK_SRC_BODY_SECTION", "isReplyContent", "mail-app-auto-quote", "replyBlockquote", "qt", "yahoo_quoted"),
        *("ymail_android_quote", "x_OLK_SRC_BODY_SECTION", "reply_content", "tutanota_quote"),
    ),
)
QUOTE_NAMES = frozenset(("messageReplySection", "quote"))
INTRODUCTION_CLASSES = frozenset(
    ("gmail_attr", "moz-cite-prefix", "OutlookMessageHeader", "protonmail_attr", "zmail_extra_hr", "zmail_attr"),
)
INTRODUCTION_IDS = frozenset(("reply-intro", "x_reply-intro"))
# Everything from one of these on is history.
HISTORY_IDS = frozenset(
    (
        *("appendonsend", "divRplyFwdMsg", "x_divRplyFwdMsg", "x_appendonsend", "stopSpelling", "zwchr"),
        *("mail-editor-reference-message-container", "ms-outlook-mobile-body-separator-line", "previousmessages"),
    ),
)
SIGNATURE_CLASSES = frozenset(
    (
        *("gmail_signature", "gmail_signature_prefix", "moz-signature", "protonmail_signature_block", "sh-signature"),
        *(
            "bloop_sign",
            "bloop_sign_container",
            "front-signature",
            "missive_signature",
            "ik_mail_signature",
            "tutanota_sig",
        ),
        *("yahoo_signature", "ydp_signature", "zmail_signature", "protonmail_signature_block-user", "iwm-signature"),
        *("spark-signature", "mailspring-signature", "elementToProof-signature", "x_gmail_signature", "fm-signature"),
    ),
)
SIGNATURE_IDS = frozenset(
    (
        *("Signature", "x_Signature", "composer_signature", "ms-outlook-mobile-signature", "signature"),
        *("sig", "Zm-_Id_-Sgn", "ymail_android_signature", "divtagdefaultsignature"),
        *("x_ms-outlook-mobile-signature", "mail-app-auto-default-signature", "sig_container", "bloop_sign"),
    ),
)
SIGNATURE_NAMES = frozenset(("messageSignatureSection",))
