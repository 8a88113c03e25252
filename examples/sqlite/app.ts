import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import Database from "libsql";

/** Visits of pages, counted in a file of SQLite. Each worker of a pool opens the file for itself; SQLite lets one write at a time. */
const file = process.env.VISITS_FILE ?? join(mkdtempSync(join(tmpdir(), "visits-")), "visits.db");
const database = new Database(file, { timeout: 5000 });

const app = new Hono();

/** loopool calls it once in each thread, before the first request. */
export function init(): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec("CREATE TABLE IF NOT EXISTS visits (page TEXT PRIMARY KEY, count INTEGER NOT NULL)");
}

/** And when the thread ends. */
export function close(): void {
  database.close();
}

app.get("/", (c) => c.text("Hello from SQLite"));
app.get("/visits/:page", (c) => {
  const row = database.prepare("SELECT count FROM visits WHERE page = ?").get(c.req.param("page"));
  return c.json({ count: (row as { count: number } | undefined)?.count ?? 0 });
});
app.post("/visits/:page", (c) => {
  const add = database.prepare(
    "INSERT INTO visits VALUES (?, 1) ON CONFLICT (page) DO UPDATE SET count = count + 1 RETURNING count",
  );
  const { count } = add.get(c.req.param("page")) as { count: number };
  return c.json({ count }, 201);
});

export default app;
