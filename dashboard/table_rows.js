// @ts-check
/** The list of a migration's tables, each with a picture of its stages. */

import { isAtRest, retryButton } from "./actions.js";
import { h } from "./dom.js";
import { clock, expected, isNumber, number, roughly, secondsBetween, size, timeOf } from "./format.js";
import { badCount, bar, table as listed, trouble } from "./parts.js";
import { badge, picture, pipeline } from "./pipeline.js";
import { tableAddress } from "./router.js";
import { canRetry, isUnderWay, stagesOf } from "./status.js";

/** @typedef {import("./status.js").Table} Table */

/** What a table may wait for, by the API's names. */
const WAITS = /** @type {Record<string, string>} */ ({
  start: "for the plan's start time",
  window: "for the plan's window",
  pause: "because the migration is suspended",
  tables: "until fewer tables are under way",
  ahead: "until exported tables have been loaded",
  aws_limit: "until AWS allows another export of its size",
  container: "for another table that is loaded into its container",
  export_lane: "for its export to begin",
  copy_lane: "for its copy to begin",
  load_lane: "for its load to begin",
  throughput: "for its container to be created and scaled",
});

const COLUMNS = [
  { heading: "Table" },
  { heading: "Stages", class: "stages" },
  { heading: "Progress", class: "progress" },
  { heading: "Exported", isNumber: true },
  { heading: "Written", isNumber: true },
  { heading: "Rejected", isNumber: true },
  { heading: "Expired", isNumber: true },
  { heading: "Mismatches", isNumber: true },
];

/**
 * Return tables of a migration as a list.
 * @param {import("./status.js").Migration} migration
 * @param {Table[]} tables
 */
export function tableRows(migration, tables) {
  return listed(
    `Tables of ${migration.id}`,
    COLUMNS,
    tables.map((table) => ({
      key: table.table,
      cells: [
        [h("a", { href: tableAddress(migration.id, table.table) }, table.table), badge(table.state)],
        pipeline(stagesOf(table), table.table),
        [bar(table.percent, `Progress of ${table.table}`), arrival(table), going(table)],
        number(table.items_exported),
        number(table.items_written),
        badCount(table.items_rejected),
        number(table.items_expired),
        badCount(table.mismatches),
      ],
      more: more(migration, table),
    })),
  );
}

/** @param {Table} table */
function arrival(table) {
  const text = isUnderWay(table) ? expected(table.eta) : null;
  return text ? h("small", {}, text) : null;
}

/** @param {Table} table */
function going(table) {
  const text = pace(table);
  return text ? h("small", {}, text) : null;
}

/**
 * Return how far the stage of a table is in items and bytes; null if it does not tell.
 * @param {Table} table
 */
export function pace(table) {
  const known = isUnderWay(table) ? table.progress : null;
  if (!known) return null;
  const parts = [
    isNumber(known.items) ? `${number(known.items)} of ${number(known.items_total)} items` : null,
    isNumber(known.bytes) ? `${size(known.bytes)} of ${size(known.bytes_total)}` : null,
    isNumber(known.items_per_second) ? `${number(Math.round(Number(known.items_per_second)))} items/s` : null,
  ].filter((part) => part !== null);
  return parts.length ? parts.join(", ") : null;
}

/**
 * @param {import("./status.js").Migration} migration
 * @param {Table} table
 */
function more(migration, table) {
  const retry = canRetry(table) && isAtRest(migration) ? retryButton(table.table) : null;
  const problem = table.error ? trouble(table.error, retry) : retry;
  const notes = [problem, stallNote(table), findingNote(table), waitNote(table)].filter((one) => one !== null);
  return notes.length ? notes : null;
}

/**
 * Return a note that a table is stalled, and since when; null if it is not.
 * @param {Table} table
 */
export function stallNote({ stalled }) {
  if (!stalled) return null;
  const seconds = secondsBetween(stalled.since);
  return h(
    "p",
    { class: "note stalled" },
    picture("stalled"),
    h(
      "span",
      {},
      h("strong", {}, `Stalled${stalled.stage ? ` in ${stalled.stage}` : ""}`),
      seconds === null ? null : ` for ${roughly(seconds)}`,
      stalled.detail ? `: ${stalled.detail}` : null,
    ),
  );
}

/**
 * Return a note of what is wrong with what a table's stage waits for; null if nothing is.
 * @param {Table} table
 */
export function findingNote({ finding }) {
  if (!finding) return null;
  return h("p", { class: "note stalled" }, picture("stalled"), h("span", {}, finding));
}

/**
 * Return what a table waits for; null if it does not wait.
 * @param {Table} table
 */
export function waitNote({ waiting }) {
  if (!waiting?.for) return null;
  const until = timeOf(waiting.until);
  return h(
    "p",
    { class: "note" },
    picture("pending"),
    h(
      "span",
      {},
      `Waiting ${WAITS[waiting.for] ?? ""}${waiting.place ? `, number ${waiting.place} in the queue` : ""}${
        until === null ? "" : `, until ${clock(until)}`
      }.`,
    ),
  );
}
