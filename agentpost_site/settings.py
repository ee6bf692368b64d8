"""Every setting of AgentPost, in one file. docs/settings.md lists those that the environment may set."""

import contextlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE

from agentpost_site.embedded_postgres import EmbeddedPostgres

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- What a machine may set -----------------------------------------------------------------------------------------
AGENTPOST_DATA_DIR = Path(env.str("AGENTPOST_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
AGENTPOST_HTTP_HOST = env.str("AGENTPOST_HTTP_HOST", default="127.0.0.1")
AGENTPOST_HTTP_PORT = env.int("AGENTPOST_HTTP_PORT", default=8000)
AGENTPOST_SMTP_HOST = env.list("AGENTPOST_SMTP_HOST", default=["127.0.0.1"])
AGENTPOST_SMTP_PORT = env.int("AGENTPOST_SMTP_PORT", default=2525)
AGENTPOST_SMTP_PROCESSES = env.int("AGENTPOST_SMTP_PROCESSES", default=min(4, os.cpu_count() or 1))
AGENTPOST_LMTP_PORT = env.int("AGENTPOST_LMTP_PORT", default=0)
AGENTPOST_SUBMISSION_PORT = env.int("AGENTPOST_SUBMISSION_PORT", default=2587)
AGENTPOST_SUBMISSION_TLS_PORT = env.int("AGENTPOST_SUBMISSION_TLS_PORT", default=2465)
AGENTPOST_TLS_CERTIFICATE = env.str("AGENTPOST_TLS_CERTIFICATE", default="")
AGENTPOST_TLS_KEY = env.str("AGENTPOST_TLS_KEY", default="")
AGENTPOST_S3_BUCKET = env.str("AGENTPOST_S3_BUCKET", default="")
AGENTPOST_S3_ENDPOINT = env.str("AGENTPOST_S3_ENDPOINT", default="")
AGENTPOST_S3_REGION = env.str("AGENTPOST_S3_REGION", default="")
AGENTPOST_S3_ACCESS_KEY = env.str("AGENTPOST_S3_ACCESS_KEY", default="")
AGENTPOST_S3_SECRET_KEY = env.str("AGENTPOST_S3_SECRET_KEY", default="")
AGENTPOST_SHARED_DOMAIN = env.str("AGENTPOST_SHARED_DOMAIN", default="agentpost.localhost").lower()
AGENTPOST_PUBLIC_URL = env.str("AGENTPOST_PUBLIC_URL", default=f"http://127.0.0.1:{AGENTPOST_HTTP_PORT}").rstrip("/")
AGENTPOST_MAX_MESSAGE_SIZE = env.int("AGENTPOST_MAX_MESSAGE_SIZE", default=25 * 1024 * 1024)
AGENTPOST_INTAKE_DAYS = env.int("AGENTPOST_INTAKE_DAYS", default=30)
AGENTPOST_APPROVAL_DAYS = env.int("AGENTPOST_APPROVAL_DAYS", default=7)
AGENTPOST_RELAY_URL = env.str("AGENTPOST_RELAY_URL", default="")
AGENTPOST_MX_PORT = env.int("AGENTPOST_MX_PORT", default=25)
AGENTPOST_PRIVATE_TARGETS = env.list("AGENTPOST_PRIVATE_TARGETS", default=[])
_public_host = urlsplit(AGENTPOST_PUBLIC_URL).hostname or ""
_is_name = "." in _public_host and not _public_host.rpartition(".")[2].isdigit()
AGENTPOST_MAIL_HOST = env.str(
    "AGENTPOST_MAIL_HOST", default=_public_host if _is_name else AGENTPOST_SHARED_DOMAIN
).lower()
AGENTPOST_SPF_MECHANISMS = env.str("AGENTPOST_SPF_MECHANISMS", default=f"a:{AGENTPOST_MAIL_HOST}").split()
AGENTPOST_DKIM_KEY = env.str("AGENTPOST_DKIM_KEY", default="")
AGENTPOST_DKIM_SELECTOR = env.str("AGENTPOST_DKIM_SELECTOR", default="agentpost")
AGENTPOST_DNS_SERVERS = env.list("AGENTPOST_DNS_SERVERS", default=[])
AGENTPOST_TRUSTED_NETWORKS = env.list("AGENTPOST_TRUSTED_NETWORKS", default=[])
AGENTPOST_TRUSTED_AUTHSERV_IDS = env.list("AGENTPOST_TRUSTED_AUTHSERV_IDS", default=[])
AGENTPOST_TRUSTED_ARC_SEALERS = env.list("AGENTPOST_TRUSTED_ARC_SEALERS", default=[])
AGENTPOST_DEVELOPMENT = env.bool("AGENTPOST_DEVELOPMENT", default=False)
AGENTPOST_ALLOWED_HOSTS = env.list(
    "AGENTPOST_ALLOWED_HOSTS",
    default=[urlsplit(AGENTPOST_PUBLIC_URL).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"],
)
AGENTPOST_REQUESTS_PER_MINUTE = env.int("AGENTPOST_REQUESTS_PER_MINUTE", default=6000)
AGENTPOST_SESSION_IDLE_HOURS = env.int("AGENTPOST_SESSION_IDLE_HOURS", default=12)
AGENTPOST_SESSION_DAYS = env.int("AGENTPOST_SESSION_DAYS", default=14)
AGENTPOST_OTLP_ENDPOINT = env.str("AGENTPOST_OTLP_ENDPOINT", default="")
AGENTPOST_METRICS_TOKEN = env.str("AGENTPOST_METRICS_TOKEN", default="")
AGENTPOST_LOG_FORMAT = env.str("AGENTPOST_LOG_FORMAT", default="text", choices=["text", "json"])
AGENTPOST_LOG_WORDS = env.str("AGENTPOST_LOG_WORDS", default="hidden", choices=["hidden", "full"])


def _secret_key() -> str:
    """Return the secret that signs sessions, cursors and links: given, or generated once into the data folder."""
    given = env.str("AGENTPOST_SECRET_KEY", default="")
    if given:
        return str(given)
    path = AGENTPOST_DATA_DIR / "secret_key"
    if not path.exists():
        AGENTPOST_DATA_DIR.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"secret_key.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):  # another process was first; its key is the one
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text().strip()


def _secret_key_fallbacks() -> list[str]:
    """Return former secrets, which sign and seal nothing any more: given, or kept in the data folder, one a line."""
    path = AGENTPOST_DATA_DIR / "secret_key_fallbacks"
    kept = path.read_text().split() if path.exists() else []
    return [str(secret) for secret in env.list("AGENTPOST_SECRET_KEY_FALLBACKS", default=kept)]


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = _secret_key_fallbacks()
DEBUG = False
ALLOWED_HOSTS = AGENTPOST_ALLOWED_HOSTS

# --- Database: two logins, one that migrates and one that serves ----------------------------------------------------
EMBEDDED_POSTGRES = None if "DATABASE_URL" in os.environ else EmbeddedPostgres(AGENTPOST_DATA_DIR)
if EMBEDDED_POSTGRES:
    _application_url = EMBEDDED_POSTGRES.url("agentpost_app", "agentpost")
    _owner_url = EMBEDDED_POSTGRES.url("agentpost_owner", "agentpost")
else:
    _application_url = env.str("DATABASE_URL")
    _owner_url = env.str("DATABASE_OWNER_URL", default=_application_url)
DATABASE_SUPERUSER_URL = env.str("DATABASE_SUPERUSER_URL", default="")
# Whoever dies without a word, on either side of the network, is missed within 12 seconds: PostgreSQL would keep the
# locks of a dead machine's transactions for two hours, and with them the end of the event log.
_missed_soon = {
    "keepalives_idle": 6,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 12_000,
    "options": "-c tcp_keepalives_idle=6 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=12000",
}
DATABASES = {
    "default": {
        **env.db_url_config(_application_url),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    },
    "owner": env.db_url_config(_owner_url),
}
DATABASES["default"]["OPTIONS"] = _missed_soon | DATABASES["default"].get("OPTIONS", {})
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Applications ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "agentpost_site",
    "environments",
    "apikeys",
    "webhooks",
    "inboxes",
    "mail",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "rest_framework",
]
AUTH_USER_MODEL = "environments.User"
MIDDLEWARE = [
    "agentpost_site.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "environments.console.account.sessions.SessionLifeMiddleware",
    "environments.console.ConsoleEnvironmentMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "agentpost_site.urls"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apikeys.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apikeys.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["apikeys.rates.PerMinute"],
    "DEFAULT_RENDERER_CLASSES": ["environments.answers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["environments.answers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "environments.answers.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "agentpost_site.schema.Schema",
    "EXCEPTION_HANDLER": "environments.answers.error_response",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AgentPost API",
    "DESCRIPTION": "Self-hosted e-mail infrastructure for AI agents.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["agentpost_site.schema.describe_errors"],
    "AUTHENTICATION_WHITELIST": ["apikeys.authentication.KeyAuthentication"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = AGENTPOST_MAX_MESSAGE_SIZE * 2  # base64 and JSON around the largest message

# --- People ---------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
PASSWORD_RESET_TIMEOUT = 4 * 3600  # seconds
ACCOUNT_ADAPTER = "environments.console.account.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; allauth's own check wants the address named
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is proven by its invitation, or by a password reset
ACCOUNT_RATE_LIMITS = False  # they count in a cache, each process its own; django-axes counts in the database
MFA_ADAPTER = "environments.console.account.adapters.SecondFactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_TOTP_ISSUER = "AgentPost"
MFA_TOTP_TOLERANCE = 1
AXES_USERNAME_FORM_FIELD = "username"  # as the sign-in form and authenticate() say, not as the model does
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying on does not keep the person themselves out
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "environments.console.account.throttle.locked_out"
AXES_SENSITIVE_PARAMETERS = ["again", "code", "csrfmiddlewaretoken", "current", "new_password1", "new_password2"]
SESSION_IDLE = timedelta(hours=AGENTPOST_SESSION_IDLE_HOURS)
SESSION_LONGEST = timedelta(days=AGENTPOST_SESSION_DAYS)
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())
SESSION_NOTED_EVERY = 300  # seconds
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = AGENTPOST_PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [AGENTPOST_PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {  # why: docs/decisions/0047-the-consoles-content-security-policy.md
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],  # django-unfold's Alpine.js evaluates its attributes
        "style-src": [SELF, UNSAFE_INLINE],  # its templates have styles of their own
        "img-src": [SELF, "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": [SELF],
    }
}

EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # ours goes through environments.relay

# --- Console: the theme's colours, dark enough to be read (WCAG AA) --------------------------------------------------
UNFOLD = {
    "BORDER_RADIUS": "6px",
    "SHOW_BACK_BUTTON": True,
    "COLORS": {
        "primary": {
            "50": "#f6f6ff",
            "100": "#ecebfe",
            "200": "#dcdbfd",
            "300": "#c3c1fb",
            "400": "#a5a3f7",
            "500": "#8482ee",
            "600": "#5753c6",
            "700": "#4641a8",
            "800": "#3a3787",
            "900": "#302e6b",
            "950": "#1d1c45",
        },
        "font": {
            "subtle-light": "var(--color-base-600)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
}

# --- Files ----------------------------------------------------------------------------------------------------------
_folder = {
    "BACKEND": "mail.storage.DurableFileSystemStorage",
    "OPTIONS": {"location": AGENTPOST_DATA_DIR / "blobs"},
}
_bucket = {
    "BACKEND": "mail.bucket.BucketStorage",
    "OPTIONS": {
        "bucket": AGENTPOST_S3_BUCKET,
        "endpoint": AGENTPOST_S3_ENDPOINT,
        "region": AGENTPOST_S3_REGION,
        "access_key": AGENTPOST_S3_ACCESS_KEY,
        "secret_key": AGENTPOST_S3_SECRET_KEY,
    },
}
STORAGES = {
    "default": _bucket if AGENTPOST_S3_BUCKET else _folder,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # the packages' own static files, straight from where they are installed

# --- Time, language, log --------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "environments.console.formats"
USE_I18N = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "environments.telemetry.logs.Formatter",
            "form": AGENTPOST_LOG_FORMAT,
            "full": AGENTPOST_LOG_WORDS == "full",
        }
    },
    "filters": {"news": {"()": "environments.telemetry.logs.News"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["news"]},
        "procrastinate": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
