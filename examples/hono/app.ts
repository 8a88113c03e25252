import { Hono } from "hono";
import { cors } from "hono/cors";

/** A small API of notes, kept in memory: each worker of a pool has its own. */
interface Note {
  readonly id: number;
  readonly text: string;
}

const notes: Note[] = [{ id: 1, text: "the first note" }];

const app = new Hono();

app.use("/api/*", cors());
app.get("/", (c) => c.text("Hello from Hono"));
app.get("/api/notes", (c) => c.json(notes));
app.get("/api/notes/:id", (c) => {
  const note = notes.find(({ id }) => id === Number(c.req.param("id")));
  return note === undefined ? c.json({ error: "no such note" }, 404) : c.json(note);
});
app.post("/api/notes", async (c) => {
  const { text } = await c.req.json<{ text: string }>();
  const note = { id: notes.length + 1, text };
  notes.push(note);
  return c.json(note, 201);
});

export default app;
