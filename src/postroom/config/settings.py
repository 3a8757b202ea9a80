"""Django settings, read from the environment through ``config.environment`` and nowhere else."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from postroom import __version__
from postroom.config import secrets
from postroom.config.database import database_settings
from postroom.config.environment import env_bool, env_int, env_list, env_str

VERSION = __version__
DEBUG = env_bool("POSTROOM_DEBUG", default=False)
DATA_DIR = Path(env_str("POSTROOM_DATA_DIR", str(Path.cwd() / "var"))).resolve()

SECRET_KEY = env_str("POSTROOM_SECRET_KEY") or secrets.installation_key(DATA_DIR)
# Older keys, newest first: they still open what they once sealed, while everything new uses SECRET_KEY.
SECRET_KEY_FALLBACKS = env_list("POSTROOM_OLD_SECRET_KEYS")

WEB_HOST = env_str("POSTROOM_WEB_HOST", "127.0.0.1")
WEB_PORT = env_int("POSTROOM_WEB_PORT", 8000)
# Where people reach this installation; links in mail are made from it.
PUBLIC_URL = env_str("POSTROOM_PUBLIC_URL", f"http://localhost:{WEB_PORT}").rstrip("/")
WEB_WORKERS = env_int("POSTROOM_WEB_WORKERS", 1)
WEB_THREADS = env_int("POSTROOM_WEB_THREADS", 8)

# Inbound SMTP: bounces, complaints and replies come back to addresses of this domain.
SMTP_HOST = env_str("POSTROOM_SMTP_HOST", "127.0.0.1")
SMTP_PORT = env_int("POSTROOM_SMTP_PORT", 2525)
INBOUND_DOMAIN = env_str("POSTROOM_INBOUND_DOMAIN", "inbound.localhost")
# The host that takes that mail, as MX records name it.
MAIL_HOST = env_str("POSTROOM_MAIL_HOST", INBOUND_DOMAIN)
# The addresses our own servers send from, when SPF records should name them; relays bring their own.
SENDING_ADDRESSES = env_list("POSTROOM_SENDING_ADDRESSES")
# Who looks names up, each ``host`` or ``host:port``; the machine's own resolvers when empty.
DNS_SERVERS = env_list("POSTROOM_DNS_SERVERS")
# The sandbox server takes mail instead of the world until a sender is configured.
SANDBOX_HOST = env_str("POSTROOM_SANDBOX_HOST", "127.0.0.1")
SANDBOX_PORT = env_int("POSTROOM_SANDBOX_PORT", 2526)
# SMTP submission: programs hand mail over here, signed in with an API key. The first port begins in the clear and asks
# for STARTTLS, the second begins with TLS; the world knows them as 587 and 465.
SUBMISSION_HOST = SUBMISSIONS_HOST = env_str("POSTROOM_SUBMISSION_HOST", "127.0.0.1")
SUBMISSION_PORT = env_int("POSTROOM_SUBMISSION_PORT", 2587)
SUBMISSIONS_PORT = env_int("POSTROOM_SUBMISSIONS_PORT", 2465)
SUBMISSION_USER = env_str("POSTROOM_SUBMISSION_USER", "usesend")
# Its certificate; without one, a certificate that signs itself is made in the data directory.
TLS_CERT, TLS_KEY = env_str("POSTROOM_TLS_CERT"), env_str("POSTROOM_TLS_KEY")
SUBMISSION_CERT = Path(TLS_CERT or DATA_DIR / "smtp" / "certificate.pem")
SUBMISSION_KEY = Path(TLS_KEY or DATA_DIR / "smtp" / "key.pem")

_HOSTS = ("localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or "")
# Host names of the dialects' own, by which each is at the root; POSTROOM_USESEND_HOST names that of useSend's clients.
DOOR_HOSTS = {
    door: host.lower()
    for door in ("backoffice", "crm", "mailtrixy", "outreach", "usesend")
    if (host := env_str(f"POSTROOM_{door.upper()}_HOST"))
}
ALLOWED_HOSTS = [*env_list("POSTROOM_ALLOWED_HOSTS", ("*",) if DEBUG else _HOSTS), *DOOR_HOSTS.values()]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
IS_HTTPS = PUBLIC_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "procrastinate.contrib.django",
    "postroom.core.workspaces",
    "postroom.core.events",
    "postroom.core.webhooks",
    "postroom.core.contacts",
    "postroom.core.mail",
    "postroom.core.campaigns",
    "postroom.core.insights",
    "postroom.config",
    "postroom.api",
    "postroom.edge",
    "postroom.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "postroom.config.middleware.request_context",
    "postroom.config.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "postroom.config.urls"
WSGI_APPLICATION = "postroom.config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database_settings(DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Counts wrong passwords, so it is shared by every process and machine.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

AUTH_USER_MODEL = "workspaces.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "postroom.web.accounts.adapter.AccountAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 86400
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
# How many proxies of our own stand in front: their word is taken for the client's address and for HTTPS.
TRUSTED_PROXIES = env_int("POSTROOM_TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = env_int("POSTROOM_HSTS_SECONDS", 0)
X_FRAME_OPTIONS = "SAMEORIGIN"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = DATA_DIR / "storage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# The only mail Django itself may send is none: everything goes through the ledger.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# Hosts inside our own network that may be asked on a user's word (see kit.hosts): a provider's gateway, a stand-in.
INTERNAL_HTTP_HOSTS = env_list("POSTROOM_INTERNAL_HTTP_HOSTS")
# The same for mail servers that a sender account may name: a relay on this machine or in this network.
INTERNAL_SMTP_HOSTS = env_list("POSTROOM_INTERNAL_SMTP_HOSTS")

# How many API requests a second a workspace may make that has no limit of its own; 0 is as many as it likes.
API_RATE_LIMIT = env_int("POSTROOM_API_RATE_LIMIT", 0)

JOURNAL_DIR = DATA_DIR / "journal"
# What the web processes keep while the database is away: opens, clicks and opt-outs, and where links lead.
EDGE_DIR = DATA_DIR / "edge"
SPOOL_SIZE = env_int("POSTROOM_SPOOL_MB", 1024) * 1024 * 1024
SENDER_CHUNK_SIZE = env_int("POSTROOM_CHUNK_SIZE", 1000)
# Sender processes of this machine: one for each core, as each keeps one busy.
SENDERS = env_int("POSTROOM_SENDERS", min(os.cpu_count() or 1, 8))

LOGGING_CONFIG = None
