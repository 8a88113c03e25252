/**
 * What arrives on a socket and what is to come back, for every adapter and core. The bytes are as sent, one a character (latin1).
 */

/** What a client sees. */
export interface Outcome {
  /** The final responses in their order; an inner list: any one of these. */
  readonly statuses: readonly (number | readonly number[])[];
  /**
   * open: the next request is answered, so that server and client agree where it begins; closed: by the server; silent: nothing comes, and
   * the server closes when the time for a head is up.
   */
  readonly after: "open" | "closed" | "silent";
  /** The server may close before its answer is out: what came with the request, in the same packet, is already a fault. */
  readonly mayBeCut?: true;
}

/** Where an adapter does not do what the RFC asks for: docs/http.md lists these. */
export interface Difference extends Outcome {
  readonly why: string;
}

export interface WireCase {
  readonly name: string;
  /** The section that decides. */
  readonly rfc: string;
  readonly bytes: string;
  readonly outcome: Outcome;
  readonly differences: Readonly<Record<string, Difference>>;
}

/** The path that no case may reach: a response that names it was smuggled. */
export const SMUGGLED = "/echo?smuggled";

export const HOST = "Host: x\r\n";
export const GET = `GET /echo HTTP/1.1\r\n${HOST}`;
export const POST = `POST /echo HTTP/1.1\r\n${HOST}`;
export const smuggled = `GET ${SMUGGLED} HTTP/1.1\r\n${HOST}\r\n`;

export const open = (...statuses: Outcome["statuses"]): Outcome => ({ statuses, after: "open" });
export const closed = (...statuses: Outcome["statuses"]): Outcome => ({ statuses, after: "closed" });
export const cut = (...statuses: Outcome["statuses"]): Outcome => ({ statuses, after: "closed", mayBeCut: true });
export const silent: Outcome = { statuses: [], after: "silent" };

/** The adapter on µWS does this instead. */
export const uws = (outcome: Outcome, why: string): WireCase["differences"] => ({ uws: { ...outcome, why } });

/** The adapter on node:http does this instead. */
export const node = (outcome: Outcome, why: string): WireCase["differences"] => ({ node: { ...outcome, why } });

export function wire(
  name: string,
  rfc: string,
  bytes: string,
  outcome: Outcome,
  differences: WireCase["differences"] = {},
): WireCase {
  return { name, rfc, bytes, outcome, differences };
}
