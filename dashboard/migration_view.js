// @ts-check
/** One migration: its progress and its tables. */

import { migrationButtons } from "./actions.js";
import { h } from "./dom.js";
import { clock, expected, number, timeOf, took } from "./format.js";
import { badCount, bar, button, facts, moment, table as listed, trail, trouble } from "./parts.js";
import { badge, picture } from "./pipeline.js";
import { LIST, migrationAddress } from "./router.js";
import { note } from "./samples.js";
import { countsOf, isUnderWay, readMigration, STATES } from "./status.js";
import { tableRows } from "./table_rows.js";

const PAGE = 100;

/** @typedef {import("./router.js").Route} Route */
/** @typedef {import("./status.js").Migration} Migration */
/** @typedef {{most: number, search: string}} Looking how many tables to load, and the text that their names must contain */

/** @param {Route} route */
export function title(route) {
  return route.migration;
}

/** @returns {Looking} */
export function begin() {
  return { most: PAGE, search: "" };
}

/**
 * @param {Route} route
 * @param {Looking} looking
 */
export async function read(route, looking) {
  const migration = await readMigration(route.migration, route.state, looking.most);
  for (const table of migration.tables) note(route.migration, table);
  return migration;
}

/** @param {Migration} migration */
export function runs(migration) {
  return isUnderWay(migration) || (migration.operations ?? []).some(isUnderWay);
}

/** @param {Migration} migration */
export function summary(migration) {
  const counts = countsOf(migration);
  const said = STATES.filter((state) => counts[state]).map((state) => `${counts[state]} ${state}`);
  return `${migration.id}: ${migration.paused ? "paused" : migration.state}. Tables: ${said.join(", ")}.`;
}

/**
 * @param {Route} route
 * @param {Migration} migration
 * @param {Looking} looking
 */
export function render(route, migration, looking) {
  const counts = countsOf(migration);
  return [
    trail([["Migrations", LIST]], migration.id),
    h(
      "div",
      { class: "heading" },
      h("h1", { tabindex: -1 }, migration.id),
      badge(migration.state),
      migrationButtons(migration),
    ),
    times(migration),
    holds(migration),
    migration.error ? trouble(migration.error) : null,
    h("div", { class: "whole" }, bar(migration.percent, "Progress of the migration")),
    totals(migration),
    operations(migration.operations ?? []),
    h(
      "section",
      { "aria-labelledby": "tables-heading", "data-key": "tables" },
      h("h2", { id: "tables-heading" }, "Tables"),
      filters(route, counts),
      tables(route, migration, looking, counts),
    ),
  ];
}

/** @type {Record<string, (looking: Looking, element: HTMLElement, route: Route, migration: Migration) => Promise<boolean>>} */
export const deeds = {
  async search(looking, element) {
    looking.search = /** @type {HTMLInputElement} */ (element).value;
    return false;
  },
  async more(looking) {
    looking.most += PAGE;
    return true;
  },
  async all(looking, _, route, migration) {
    looking.most = countsOf(migration)[route.state || "all"] ?? looking.most;
    return true;
  },
};

/** @param {Migration} migration */
function times({ started_at: started, finished_at: finished, state, eta }) {
  const arrival = isUnderWay({ state }) ? expected(eta) : null;
  return h(
    "p",
    { class: "soft" },
    "started ",
    moment(started),
    " UTC, ",
    finished ? "took " : "",
    took(started, finished),
    arrival ? [", ends ", h("strong", {}, arrival)] : null,
  );
}

/** @param {Migration} migration */
function holds({ paused, waiting_until: until, held_back_by: stage, stages }) {
  const time = timeOf(until);
  return [
    paused
      ? h(
          "p",
          { class: "note" },
          picture("cancelled"),
          h("span", {}, h("strong", {}, "Suspended."), " Running stages finish; no new stage starts."),
        )
      : null,
    time === null
      ? null
      : h(
          "p",
          { class: "note" },
          picture("pending"),
          h("span", {}, h("strong", {}, `Waiting until ${clock(time)}.`), " The plan's window lets no stage start earlier."),
        ),
    stage && stages
      ? h(
          "p",
          { class: "note" },
          picture("running"),
          h(
            "span",
            {},
            h("strong", {}, `${number(stages[stage].waiting)} tables wait for ${stage}`),
            `, which runs ${number(stages[stage].lanes)} at once.`,
          ),
        )
      : null,
  ];
}

/** @param {Migration} migration */
function totals({ items, tables }) {
  if (!items) return null;
  const mismatches = tables.reduce((sum, table) => sum + (table.mismatches ?? 0), 0);
  return facts([
    ["Items exported", number(items.exported)],
    ["Documents written", number(items.written)],
    ["Items rejected", badCount(items.rejected)],
    ["Items expired", number(items.expired)],
    ...(mismatches ? /** @type {[string, Node][]} */ ([["Mismatches in the tables shown", badCount(mismatches)]]) : []),
  ]);
}

/** @param {import("./status.js").Operation[]} listedOperations */
function operations(listedOperations) {
  if (!listedOperations.length) return null;
  return h(
    "section",
    { "aria-labelledby": "operations-heading", "data-key": "operations" },
    h("h2", { id: "operations-heading" }, "Retries, replays and verifications"),
    listed(
      "Retries, replays and verifications",
      [
        { heading: "Operation" },
        { heading: "State" },
        { heading: "Started (UTC)", isNumber: true },
        { heading: "Duration", isNumber: true },
      ],
      listedOperations.map((one) => ({
        key: `${one.operation} ${one.number}`,
        cells: [
          `${one.operation} ${one.number}`,
          badge(one.state),
          moment(one.started_at),
          took(one.started_at, one.finished_at),
        ],
        more: one.error ? trouble(one.error) : null,
      })),
    ),
  );
}

/**
 * @param {Route} route
 * @param {Record<string, number>} counts
 */
function filters(route, counts) {
  return h(
    "nav",
    { class: "chips", "aria-label": "Tables by state" },
    ["", ...STATES].map((state) =>
      h(
        "a",
        {
          class: "chip",
          href: migrationAddress(route.migration, state),
          "data-key": `filter ${state}`,
          "aria-current": state === route.state ? "true" : null,
        },
        state ? picture(state) : null,
        h("span", {}, state || "all"),
        h("b", {}, number(counts[state || "all"] ?? 0)),
      ),
    ),
  );
}

/**
 * @param {Route} route
 * @param {Migration} migration
 * @param {Looking} looking
 * @param {Record<string, number>} counts
 */
function tables(route, migration, looking, counts) {
  const wanted = looking.search.trim().toLowerCase();
  const found = migration.tables.filter((table) => table.table.toLowerCase().includes(wanted));
  const unread = Math.max(0, (counts[route.state || "all"] ?? 0) - migration.tables.length);
  return [
    h(
      "p",
      { class: "choice" },
      h("label", { for: "search" }, "Name contains"),
      h("input", { id: "search", type: "search", autocomplete: "off", spellcheck: "false", "data-do": "search" }),
      h(
        "span",
        { role: "status" },
        `${number(found.length)} of ${number(migration.tables.length + unread)}`,
        wanted && unread ? `, the first ${number(migration.tables.length)} searched` : null,
      ),
    ),
    found.length
      ? tableRows(migration, found)
      : h("p", {}, wanted ? "No table shown matches." : "No tables."),
    migration.next && unread
      ? h(
          "p",
          { class: "more-of" },
          button(`Show ${number(Math.min(PAGE, unread))} more tables`, "more", { "data-key": "more" }),
          unread > PAGE
            ? button(`Show all ${number(unread + migration.tables.length)} tables`, "all", { "data-key": "all" })
            : null,
        )
      : null,
  ];
}
