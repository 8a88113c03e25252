import { go, gone, untilGo } from "./gate.js";

const encoder = new TextEncoder();

function events(request: Request): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      request.signal.addEventListener("abort", () => {
        gone.count++;
      });
      controller.enqueue(encoder.encode("data: first\n\n"));
      await untilGo();
      if (request.signal.aborted) return;
      controller.enqueue(encoder.encode("data: second\n\n"));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

export default async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /":
    case "HEAD /":
      return new Response("hello");
    case "POST /echo":
      return Response.json(await request.json());
    case "GET /cookies":
      return new Response(null, {
        status: 204,
        headers: [
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
        ],
      });
    case "GET /headers": {
      const { headers, url } = request;
      return Response.json({ agent: headers.get("user-agent"), twice: headers.get("x-twice"), url });
    }
    case "GET /events":
      return events(request);
    case "GET /go":
      go();
      return new Response("gone on");
    case "GET /gone":
      return Response.json(gone.count);
    case "GET /fails":
      throw new Error("on purpose");
    default:
      return new Response("not found", { status: 404 });
  }
}
