// @ts-check
/** A table's counts over time, sampled while this page is open. */

/** @typedef {{time: number, written: number}} Sample */

const MOST = 600;

/** @type {Map<string, Sample[]>} */
const samples = new Map();

/**
 * Record a table's current number of documents.
 * @param {string} migration
 * @param {import("./status.js").Table} table
 */
export function note(migration, table) {
  const written = writtenSoFar(table);
  if (table.state !== "running" || typeof written !== "number") return;
  const seen = seenOf(migration, table.table);
  const last = seen.at(-1);
  // A retry starts from zero.
  if (last && written < last.written) seen.length = 0;
  seen.push({ time: Date.now(), written });
  if (seen.length > MOST)
    samples.set(
      keyOf(migration, table.table),
      seen.filter((_, place) => place % 2 === 0),
    );
}

/**
 * Return how many documents a load has written so far, by its items; a number that is known comes first.
 * @param {import("./status.js").Table} table
 */
function writtenSoFar({ items_written: written, stage, progress }) {
  return written ?? (stage === "load" ? progress?.items : null);
}

/**
 * Return the samples of a table, oldest first.
 * @param {string} migration
 * @param {string} table
 */
export function seenOf(migration, table) {
  const key = keyOf(migration, table);
  const seen = samples.get(key) ?? [];
  samples.set(key, seen);
  return seen;
}

/**
 * Return the documents per second between samples, as steps.
 * @param {Sample[]} seen
 * @returns {{from: number, until: number, value: number}[]}
 */
export function ratesOf(seen) {
  return seen.slice(1).map((sample, place) => {
    const before = seen[place];
    const seconds = Math.max(0.001, (sample.time - before.time) / 1000);
    return { from: before.time, until: sample.time, value: (sample.written - before.written) / seconds };
  });
}

/**
 * @param {string} migration
 * @param {string} table
 */
function keyOf(migration, table) {
  return JSON.stringify([migration, table]);
}
