// @ts-check
/** One table of a migration: its state, stages, throughput, rejected items and mismatches. */

import { tableButtons } from "./actions.js";
import { Problem } from "./api.js";
import { swatch } from "./chart.js";
import { h } from "./dom.js";
import { duration, expected, number, size } from "./format.js";
import { badCount, bar, facts, moment, table as listed, trail, trouble } from "./parts.js";
import { badge, pipeline } from "./pipeline.js";
import { beginBrowsing, browsingDeeds, mismatches, readFirst, rejectedItems } from "./rejected_view.js";
import { LIST, migrationAddress } from "./router.js";
import { note } from "./samples.js";
import { isUnderWay, readReport, readTable, stagesOf } from "./status.js";
import { findingNote, pace, stallNote, waitNote } from "./table_rows.js";
import { throughput } from "./throughput.js";

/** @typedef {import("./router.js").Route} Route */
/** @typedef {{migration: import("./status.js").Migration, table: import("./status.js").Table, part: any}} Data */
/** @typedef {import("./rejected_view.js").Browsing & {token: string | null}} Browsing token: of the page that has the table */

/** @param {Route} route */
export function title(route) {
  return `${route.table}, ${route.migration}`;
}

/** @returns {Browsing} */
export function begin() {
  return { ...beginBrowsing(), token: null };
}

/**
 * @param {Route} route
 * @param {Browsing} browsing
 * @returns {Promise<Data>}
 */
export async function read(route, browsing) {
  const { page: migration, table, token } = await readTable(route.migration, route.table, browsing.token);
  browsing.token = token;
  if (!table) {
    throw new Problem({
      status: 404,
      title: "Not found",
      detail: `Migration ${route.migration} has no table ${route.table}.`,
      next_step: "Go back to the migration and choose one of its tables.",
    });
  }
  note(route.migration, table);
  const [report] = await Promise.all([readReport(migration), readFirst(route.migration, table, browsing)]);
  const part = report?.tables?.find((/** @type {{table: string}} */ one) => one.table === route.table) ?? null;
  return { migration, table, part };
}

/** @param {Data} data */
export function runs({ migration }) {
  return isUnderWay(migration) || (migration.operations ?? []).some(isUnderWay);
}

/** @param {Data} data */
export function summary({ table }) {
  return `${table.table}: ${table.state}${table.stage && isUnderWay(table) ? `, stage ${table.stage}` : ""}`;
}

/**
 * @param {Route} route
 * @param {Data} data
 * @param {Browsing} browsing
 */
export function render(route, { migration, table, part }, browsing) {
  return [
    trail(
      [
        ["Migrations", LIST],
        [route.migration, migrationAddress(route.migration)],
      ],
      table.table,
    ),
    h(
      "div",
      { class: "heading" },
      h("h1", { tabindex: -1 }, table.table),
      badge(table.stalled ? "stalled" : table.state),
      tableButtons(migration, table),
    ),
    part ? h("p", { class: "soft" }, "Container ", h("code", {}, `${part.database}/${part.container}`)) : null,
    table.error ? trouble(table.error) : null,
    stallNote(table),
    findingNote(table),
    waitNote(table),
    progress(table),
    counts(table, part),
    section("stages", "Stages", stages(table, part)),
    section("throughput", "Throughput", throughput(migration, table, part)),
    section("rejected", "Rejected items", rejectedItems(table, part, browsing)),
    section("mismatches", "Verification", mismatches(part, browsing)),
  ];
}

/** @param {import("./status.js").Table} table */
function progress(table) {
  if (!isUnderWay(table)) return null;
  const arrival = expected(table.eta);
  const going = pace(table);
  return h(
    "div",
    { class: "whole" },
    bar(table.percent, `Progress of ${table.table}`),
    going ? h("p", { class: "soft" }, going) : null,
    arrival ? h("p", { class: "soft" }, "ends ", h("strong", {}, arrival)) : null,
  );
}

/** @type {Record<string, (browsing: Browsing, element: HTMLElement, route: Route) => Promise<void>>} */
export const deeds = Object.fromEntries(
  Object.entries(browsingDeeds).map(([name, deed]) => [
    name,
    (/** @type {Browsing} */ browsing, /** @type {HTMLElement} */ element, /** @type {Route} */ route) =>
      deed(browsing, element, route.migration, route.table),
  ]),
);

/**
 * @param {string} id
 * @param {string} heading
 * @param {import("./dom.js").Children} content
 */
function section(id, heading, content) {
  return h(
    "section",
    { "aria-labelledby": `${id}-heading`, "data-key": id },
    h("h2", { id: `${id}-heading` }, heading),
    content,
  );
}

/**
 * @param {import("./status.js").Table} table
 * @param {any} part
 */
function counts(table, part) {
  return facts([
    ["Items exported", number(table.items_exported)],
    ["Documents written", number(table.items_written)],
    ["Items rejected", badCount(table.items_rejected)],
    ["Items expired", number(table.items_expired)],
    ["Mismatches", badCount(table.mismatches)],
    ...(part ? /** @type {[string, string][]} */ ([
      // DynamoDB may bill nothing for a small table.
      ["Size in DynamoDB", size(part.export?.billed_bytes || null)],
      ["Data files of the export", size(part.export?.bytes)],
    ]) : []),
  ]);
}

/**
 * @param {import("./status.js").Table} table
 * @param {any} part
 */
function stages(table, part) {
  const all = stagesOf(table, part?.stages);
  const timed = all.filter((stage) => stage.started_at);
  return [
    pipeline(all, table.table, { large: true }),
    timed.length
      ? listed(
          "Stages with their times",
          [
            { heading: "Stage" },
            { heading: "State" },
            { heading: "Duration", isNumber: true },
            { heading: "Started (UTC)", isNumber: true },
          ],
          timed.map((stage) => ({
            key: stage.stage,
            cells: [
              h("span", {}, swatch(stage.stage), stage.stage),
              badge(stage.state),
              duration(stage.seconds),
              moment(stage.started_at),
            ],
          })),
        )
      : h("p", { class: "soft" }, "The stages' durations are in the report, which is written when the migration ends."),
  ];
}
