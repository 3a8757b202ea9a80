// The same endpoint in Node, as Fastify with pg, one process for each core: key, validation, letter and job in a
// transaction, id back.

import cluster from "node:cluster";
import { createHash, randomUUID } from "node:crypto";
import fastify from "fastify";
import pg from "pg";

const WORKERS = Number(process.env.BENCH_WORKERS);
const FIND_KEY = "SELECT workspace_id FROM bench_key WHERE digest = $1 AND revoked_at IS NULL";
const INSERT_MESSAGE = `
  INSERT INTO bench_message
    (uid, workspace_id, sender, recipients, subject, html, text, reply_to, headers, scheduled_at, status, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', $11) RETURNING id`;
const INSERT_JOB = "INSERT INTO bench_job (message_id, queue, status, run_at) VALUES ($1, 'mail', 'todo', $2)";

const texts = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };
const body = {
  type: "object",
  required: ["to", "from", "subject"],
  properties: {
    to: texts,
    from: { type: "string" },
    subject: { type: "string", minLength: 1 },
    html: { type: ["string", "null"] },
    text: { type: ["string", "null"] },
    replyTo: texts,
    headers: { type: "object", additionalProperties: { type: "string" } },
    scheduledAt: { type: "string", format: "date-time" },
  },
};

const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

function serve() {
  const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE, max: 12 });
  const app = fastify({ ajv: { customOptions: { coerceTypes: false } } });
  app.post("/v1/emails", { schema: { body } }, async (request, reply) => {
    const token = (request.headers.authorization ?? "").split(" ")[1] ?? "";
    const digest = createHash("sha256").update(token).digest();
    const connection = await pool.connect();
    try {
      const found = await connection.query({ name: "key", text: FIND_KEY, values: [digest] });
      if (!found.rowCount) return reply.code(403).send({});
      const letter = request.body;
      const uid = randomUUID();
      const now = new Date();
      const at = letter.scheduledAt ? new Date(letter.scheduledAt) : null;
      await connection.query("BEGIN");
      const values = [
        uid,
        found.rows[0].workspace_id,
        letter.from,
        list(letter.to),
        letter.subject,
        letter.html,
        letter.text,
        list(letter.replyTo),
        JSON.stringify(letter.headers ?? {}),
        at,
        now,
      ];
      const message = await connection.query({ name: "message", text: INSERT_MESSAGE, values });
      await connection.query({ name: "job", text: INSERT_JOB, values: [message.rows[0].id, at ?? now] });
      await connection.query("COMMIT");
      return { emailId: uid.replaceAll("-", "") };
    } catch (error) {
      await connection.query("ROLLBACK");
      throw error;
    } finally {
      connection.release();
    }
  });
  app.listen({ port: Number(process.env.BENCH_PORT), host: "127.0.0.1" });
}

if (cluster.isPrimary) {
  for (let number = 0; number < WORKERS; number++) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else serve();
