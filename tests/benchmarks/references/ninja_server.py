"""The same endpoint as a plain Django Ninja view: key, validation, letter and job by the ORM in a transaction, id back.

It has Django to itself: no middleware, one route, a persistent connection for each thread of granian's WSGI server.
"""

import os
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest

where = dict(pair.split("=", 1) for pair in os.environ["BENCH_DSN"].split())
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="x" * 50,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.postgres"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": where["dbname"],
            "USER": where["user"],
            "HOST": where["host"],
            "PORT": where.get("port", ""),
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

# Only now, when Django is set up.
from django.contrib.postgres.fields import ArrayField  # noqa: E402
from django.db import models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import Field, NinjaAPI, Schema  # noqa: E402
from ninja.security import HttpBearer  # noqa: E402


class Key(models.Model):  # noqa: DJ008
    digest = models.BinaryField()
    workspace_id = models.BigIntegerField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        app_label, db_table, managed = "bench", "bench_key", False


class Message(models.Model):  # noqa: DJ008
    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField()
    workspace_id = models.BigIntegerField()
    sender = models.TextField()
    recipients = ArrayField(models.TextField())
    subject = models.TextField()
    html = models.TextField(null=True)  # noqa: DJ001
    text = models.TextField(null=True)  # noqa: DJ001
    reply_to = ArrayField(models.TextField())
    headers = models.JSONField()
    scheduled_at = models.DateTimeField(null=True)
    status = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_message", False


class Job(models.Model):  # noqa: DJ008
    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, on_delete=models.CASCADE)
    queue = models.TextField()
    status = models.TextField()
    run_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_job", False


class Letter(Schema):
    to: str | list[str]
    sender: str = Field(alias="from")
    subject: str = Field(min_length=1)
    html: str | None = None
    text: str | None = None
    reply_to: str | list[str] = Field(default=[], alias="replyTo")
    headers: dict[str, str] = {}
    scheduled_at: datetime | None = Field(default=None, alias="scheduledAt")


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Any:
        digest = sha256(token.encode()).digest()
        return Key.objects.filter(digest=digest, revoked_at=None).first()


api = NinjaAPI(auth=Bearer(), docs_url=None, openapi_url=None)


@api.post("/v1/emails")
def send(request: HttpRequest, letter: Letter) -> dict[str, str]:
    """Take a letter."""
    now = datetime.now(UTC)
    with transaction.atomic():
        message = Message.objects.create(
            uid=uuid4(),
            workspace_id=request.auth.workspace_id,  # type: ignore[attr-defined]
            sender=letter.sender,
            recipients=[letter.to] if isinstance(letter.to, str) else letter.to,
            subject=letter.subject,
            html=letter.html,
            text=letter.text,
            reply_to=[letter.reply_to] if isinstance(letter.reply_to, str) else letter.reply_to,
            headers=letter.headers,
            scheduled_at=letter.scheduled_at,
            status="queued",
            created_at=now,
        )
        Job.objects.create(message=message, queue="mail", status="todo", run_at=letter.scheduled_at or now)
    return {"emailId": message.uid.hex}


urlpatterns = [path("", api.urls)]
application = WSGIHandler()
