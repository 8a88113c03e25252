const LISTENING = /^loopool \S+ listening on (http:\S+) pid (\d+)/m;

/** What the line of a server that listens on TCP says: "loopool reactor listening on http://127.0.0.1:9090 pid 123 …". */
export interface Listening {
  readonly url: string;
  readonly pid: number;
}

/** Finds that line in what a server has written to standard output so far; null: it is not there yet. */
export function listeningIn(output: string): Listening | null {
  const found = LISTENING.exec(output);
  return found === null ? null : { url: found[1]!, pid: Number(found[2]) };
}
