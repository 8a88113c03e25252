/** Statuses from the first to the last, both included. */
export type StatusRange = readonly [first: number, last: number];

const SUCCESS: readonly StatusRange[] = [[200, 299]];

/** Whether a status is a success; `null` stands for 2xx. */
export function isExpected(status: number, ranges: readonly StatusRange[] | null): boolean {
  for (const [first, last] of ranges ?? SUCCESS) if (status >= first && status <= last) return true;
  return false;
}

/** What "2xx,404" or "200-204" says; null for anything else. */
export function parseStatuses(text: string): readonly StatusRange[] | null {
  const ranges: StatusRange[] = [];
  for (const part of text.split(",")) {
    const found = /^\s*(?:([2-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?)\s*$/i.exec(part);
    if (found === null) return null;
    const [, hundred, first, last = first] = found;
    const range: StatusRange =
      hundred === undefined ? [Number(first), Number(last)] : [Number(hundred) * 100, Number(hundred) * 100 + 99];
    if (range[0] < 200 || range[1] < range[0]) return null;
    ranges.push(range);
  }
  return ranges;
}

/** As `parseStatuses` takes it. */
export function statusesText(ranges: readonly StatusRange[] | null): string {
  return (ranges ?? SUCCESS)
    .map(([first, last]) => {
      if (first % 100 === 0 && last === first + 99) return `${first / 100}xx`;
      return first === last ? String(first) : `${first}-${last}`;
    })
    .join(",");
}
