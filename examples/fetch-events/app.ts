import { setTimeout as delay } from "node:timers/promises";

/** Server-sent events without a framework: /clock?ticks=3&ms=20. */
const encoder = new TextEncoder();

async function* clock(ticks: number, ms: number, signal: AbortSignal): AsyncGenerator<string> {
  for (let tick = 1; tick <= ticks && !signal.aborted; tick++) {
    yield `event: tick\ndata: ${tick}\n\n`;
    await delay(ms, undefined, { signal }).catch(() => {});
  }
}

function events({ url, signal }: Request): Response {
  const { searchParams } = new URL(url);
  const ticks = clock(Number(searchParams.get("ticks") ?? 3), Number(searchParams.get("ms") ?? 20), signal);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await ticks.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await ticks.return(undefined);
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store" } });
}

export default function handle(request: Request): Response {
  switch (new URL(request.url).pathname) {
    case "/":
      return new Response("Hello from fetch");
    case "/clock":
      return events(request);
    default:
      return new Response("not found", { status: 404 });
  }
}
