// @ts-check
/** What this page has seen of a table's counts over time; it is gone when the page is closed. */

/** @typedef {{time: number, written: number}} Sample */

const MOST = 600;

/** @type {Map<string, Sample[]>} */
const samples = new Map();

/**
 * Note how many documents a table has now.
 * @param {string} migration
 * @param {import("./status.js").Table} table
 */
export function note(migration, table) {
  if (table.state !== "running" || typeof table.items_written !== "number") return;
  const seen = seenOf(migration, table.table);
  const last = seen.at(-1);
  // A retry begins anew.
  if (last && table.items_written < last.written) seen.length = 0;
  seen.push({ time: Date.now(), written: table.items_written });
  if (seen.length > MOST)
    samples.set(
      keyOf(migration, table.table),
      seen.filter((_, place) => place % 2 === 0),
    );
}

/**
 * Return what was seen of a table, oldest first.
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
 * Return documents per second between what was seen, as steps.
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
