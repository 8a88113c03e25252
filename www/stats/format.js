// Numbers as text. Counts are exact, everything else has three digits or so.

const counts = new Intl.NumberFormat("en");

export function whole(value) {
  return counts.format(Math.round(value));
}

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return step === 0 ? `${Math.round(value)} B` : `${(value / 1000 ** step).toFixed(2)} ${units[step]}`;
}

/** A latency, from µs. */
export function time(micros) {
  if (micros < 1000) return `${Math.round(micros)} µs`;
  return micros < 1e6 ? `${(micros / 1e3).toPrecision(3)} ms` : `${(micros / 1e6).toPrecision(3)} s`;
}

/** A span that people live through, from seconds. */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function percent(share) {
  return `${Math.round(share * 100)}%`;
}

export function clock(date) {
  return date.toLocaleTimeString("en-GB");
}
