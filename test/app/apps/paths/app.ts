import { setTimeout as delay } from "node:timers/promises";
import { shouted, Tone } from "@lib/greeting";

class Greeter {
  constructor(private readonly tone: Tone) {}

  @shouted
  greet(): string {
    return `${this.tone} ${process.env.NODE_ENV}`;
  }
}

await delay(1);
const greeter = new Greeter(Tone.Kind);

export default { fetch: () => new Response(greeter.greet()) };
