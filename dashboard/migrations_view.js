// @ts-check
/** All migrations, newest first. */

import { pathOf, Problem, read as ask } from "./api.js";
import { h } from "./dom.js";
import { took } from "./format.js";
import { bar, button, moment, table } from "./parts.js";
import { badge } from "./pipeline.js";
import { migrationAddress } from "./router.js";
import { isUnderWay } from "./status.js";

const PAGE = 20;
const COLUMNS = [
  { heading: "Migration" },
  { heading: "State" },
  { heading: "Progress", class: "progress" },
  { heading: "Started (UTC)", isNumber: true },
  { heading: "Duration", isNumber: true },
];

/** @typedef {import("./router.js").Route} Route */
/** @typedef {{id: string, state: string, started_at?: string, finished_at?: string | null, percent?: number | null}} Entry */
/** @typedef {{migrations: Entry[], next: string | null}} Page */
/** @typedef {{tokens: string[]}} Paging the tokens of the pages up to the one that is shown */

export function title() {
  return "Migrations";
}

/** @returns {Paging} */
export function begin() {
  return { tokens: [] };
}

/**
 * @param {Route} _
 * @param {Paging} paging
 * @returns {Promise<Page>}
 */
export async function read(_, paging) {
  const page = await ask("migrations", { top: PAGE, token: paging.tokens.at(-1) });
  return { ...page, migrations: await Promise.all(page.migrations.map(withPercent)) };
}

/**
 * Return an entry with its percentage; the list itself need not have it.
 * @param {Entry} entry
 */
async function withPercent(entry) {
  if (entry.state === "succeeded") return { ...entry, percent: 100 };
  if (entry.percent !== undefined || !isUnderWay(entry)) return entry;
  try {
    const { percent } = await ask(pathOf(entry.id), { top: 1 });
    return { ...entry, percent };
  } catch (error) {
    // A migration whose status cannot be loaded does not hide the others.
    if (error instanceof Problem && error.status) return entry;
    throw error;
  }
}

/** @param {Page} page */
export function runs({ migrations }) {
  return migrations.some(isUnderWay);
}

/** @param {Page} page */
export function summary({ migrations }) {
  const running = migrations.filter(isUnderWay).length;
  return `${migrations.length} migrations, ${running} running.`;
}

/**
 * @param {Route} _
 * @param {Page} page
 * @param {Paging} paging
 */
export function render(_, { migrations, next }, paging) {
  return [
    h("div", { class: "heading" }, h("h1", { tabindex: -1 }, "Migrations")),
    migrations.length ? table("Migrations, newest first", COLUMNS, migrations.map(row)) : none(paging),
    next || paging.tokens.length
      ? h(
          "nav",
          { class: "more-of", "aria-label": "Pages" },
          button("Newer", "newer", { "data-key": "newer", disabled: !paging.tokens.length }),
          button("Older", "older", { "data-key": "older", disabled: !next }),
        )
      : null,
  ];
}

/** @type {Record<string, (paging: Paging, element: HTMLElement, route: Route, page: Page) => Promise<boolean>>} */
export const deeds = {
  async newer(paging) {
    paging.tokens.pop();
    return true;
  },
  async older(paging, _, __, page) {
    if (page.next) paging.tokens.push(page.next);
    return true;
  },
};

/** @param {Entry} entry */
function row(entry) {
  return {
    key: entry.id,
    cells: [
      h("a", { href: migrationAddress(entry.id) }, entry.id),
      badge(entry.state),
      entry.percent === undefined ? null : bar(entry.percent, `Progress of ${entry.id}`),
      moment(entry.started_at),
      took(entry.started_at, entry.finished_at),
    ],
  };
}

/** @param {Paging} paging */
function none(paging) {
  if (paging.tokens.length) return h("p", {}, "No older migrations.");
  return h(
    "div",
    { class: "empty" },
    h("p", {}, "No migration has been started yet."),
    h("p", {}, "Write a plan: ", h("code", {}, "d2c plan --region REGION --database NAME 'TABLE-*' > plan.json")),
    h("p", {}, "Then start it: ", h("code", {}, "d2c start plan.json")),
  );
}
