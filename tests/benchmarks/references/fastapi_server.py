"""The same endpoint as FastAPI with asyncpg: key, validation, letter and job in a transaction, id back."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated
from uuid import uuid4

import asyncpg
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

FIND_KEY = "SELECT workspace_id FROM bench_key WHERE digest = $1 AND revoked_at IS NULL"
INSERT_MESSAGE = """
INSERT INTO bench_message
    (uid, workspace_id, sender, recipients, subject, html, text, reply_to, headers, scheduled_at, status, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11) RETURNING id
"""
INSERT_JOB = "INSERT INTO bench_job (message_id, queue, status, run_at) VALUES ($1, 'mail', 'todo', $2)"


class Letter(BaseModel):
    to: str | list[str]
    sender: str = Field(alias="from")
    subject: str = Field(min_length=1)
    html: str | None = None
    text: str | None = None
    reply_to: str | list[str] = Field(default=[], alias="replyTo")
    headers: dict[str, str] = {}
    scheduled_at: datetime | None = Field(default=None, alias="scheduledAt")


@asynccontextmanager
async def live(application: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=8, max_size=12) as pool:
        application.state.pool = pool
        yield


application = FastAPI(lifespan=live)


@application.post("/v1/emails")
async def send(letter: Letter, authorization: Annotated[str, Header()] = "") -> dict[str, str]:
    """Take a letter."""
    digest = sha256(authorization.partition(" ")[2].encode()).digest()
    async with application.state.pool.acquire() as connection:
        workspace = await connection.fetchval(FIND_KEY, digest)
        if workspace is None:
            raise HTTPException(403)
        uid, now = uuid4(), datetime.now(UTC)
        to = [letter.to] if isinstance(letter.to, str) else letter.to
        reply_to = [letter.reply_to] if isinstance(letter.reply_to, str) else letter.reply_to
        async with connection.transaction():
            message = await connection.fetchval(
                INSERT_MESSAGE,
                uid,
                workspace,
                letter.sender,
                to,
                letter.subject,
                letter.html,
                letter.text,
                reply_to,
                json.dumps(letter.headers),
                letter.scheduled_at,
                now,
            )
            await connection.execute(INSERT_JOB, message, letter.scheduled_at or now)
    return {"emailId": uid.hex}
