import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** An address that a process listens on. */
export interface Listening {
  readonly port: number;
  /** Only over IPv6. */
  readonly isV6: boolean;
}

/** In /proc/net/tcp: TCP_LISTEN. */
const LISTEN = "0A";

/** Where the processes of a group listen, as /proc tells; null where there is no /proc. */
export function listeningOf(group: number): readonly Listening[] | null {
  try {
    const inodes = new Set(pidsOf(group).flatMap(socketsOf));
    const v4 = portsIn("/proc/net/tcp", inodes).map((port) => ({ port, isV6: false }));
    const v6 = portsIn("/proc/net/tcp6", inodes);
    const only = v6.filter((port) => !v4.some((known) => known.port === port));
    return [...v4, ...only.map((port) => ({ port, isV6: true }))];
  } catch {
    return null;
  }
}

function pidsOf(group: number): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      // "pid (name) state ppid pgrp …": the name may hold spaces and parentheses.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)!.trim().split(" ");
      return Number(fields[2]) === group;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** The inodes of its sockets. */
function socketsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function portsIn(file: string, inodes: ReadonlySet<string>): readonly number[] {
  const lines = readFileSync(file, "utf8").trim().split("\n").slice(1);
  const ports = lines.flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = "", , state] = fields;
    return state === LISTEN && inodes.has(fields[9] ?? "") ? [Number.parseInt(local.split(":").at(-1)!, 16)] : [];
  });
  return [...new Set(ports)];
}
