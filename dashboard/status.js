// @ts-check
/** The status of migrations and tables as the HTTP API returns it, and values derived from it. */

import { pathOf, Problem, read } from "./api.js";

export const STATES = ["running", "pending", "succeeded", "failed", "cancelled"];
export const STAGES = ["export", "copy", "prepare", "assess", "load", "verify", "index", "report"];
export const MISMATCH_KINDS = ["missing", "unexpected", "different"];
// The most tables that one answer holds.
const LARGEST_PAGE = 1000;
const PAGE_TO_LOOK_THROUGH = 100;

/**
 * @typedef {{title?: string, detail?: string, next_step?: string, stage?: string}} Trouble
 * @typedef {{stage: string, state: string, started_at?: string, seconds?: number}} Stage
 * @typedef {{stage?: string, since?: string, detail?: string}} Stall
 * @typedef {{items?: number | null, items_total?: number | null, bytes?: number | null, bytes_total?: number | null,
 *   items_per_second?: number | null, bytes_per_second?: number | null}} Pace
 * @typedef {{table: string, state: string, stage?: string | null, items_exported?: number | null,
 *   items_written?: number | null, items_rejected?: number | null, items_expired?: number | null,
 *   mismatches?: number | null, percent?: number | null, progress?: Pace | null, eta?: string | null, error?: Trouble | null,
 *   stalled?: Stall | null, finding?: string | null, waiting?: {for?: string, until?: string | null, place?: number | null} | null, stages?: Stage[]}} Table
 * @typedef {{operation: string, number: number, state: string, started_at?: string, finished_at?: string | null,
 *   error?: Trouble | null}} Operation
 * @typedef {{id: string, state: string, started_at?: string, finished_at?: string | null, paused?: boolean,
 *   waiting_until?: string | null, held_back_by?: string | null,
 *   stages?: Record<string, {lanes: number, busy: number, waiting: number}> | null, counts?: Record<string, number>, items?: Record<string, number | null>,
 *   percent?: number | null, eta?: string | null, error?: Trouble | null, tables: Table[], next?: string | null,
 *   operations?: Operation[]}} Migration
 */

/** @param {{state: string}} one */
export function isUnderWay({ state }) {
  return state === "pending" || state === "running";
}

/** @param {{state: string}} one */
export function canRetry({ state }) {
  return state === "failed" || state === "cancelled";
}

/**
 * Return the status of a migration and some of its tables.
 * @param {string} migration
 * @param {string} state of the tables; any if empty
 * @param {number} most how many tables to return at the most
 * @returns {Promise<Migration>}
 */
export async function readMigration(migration, state, most) {
  /** @type {Table[]} */
  const tables = [];
  let token = null;
  for (;;) {
    /** @type {Migration} */
    const page = await read(pathOf(migration), { state, top: Math.min(most - tables.length, LARGEST_PAGE), token });
    tables.push(...page.tables);
    token = page.next ?? null;
    if (token === null || tables.length >= most) return { ...page, tables };
  }
}

/** @typedef {{page: Migration, table: Table | null, token: string | null}} Place the page that has a table */

/**
 * Return the status of a migration and one of its tables.
 * @param {string} migration
 * @param {string} table
 * @param {string | null} token of the page to read first: the one that had the table before
 * @returns {Promise<Place>}
 */
export async function readTable(migration, table, token) {
  const found = await lookFrom(migration, table, token);
  return found.table || token === null ? found : lookFrom(migration, table, null);
}

/**
 * @param {string} migration
 * @param {string} name
 * @param {string | null} token
 * @returns {Promise<Place>}
 */
async function lookFrom(migration, name, token) {
  for (;;) {
    /** @type {Migration} */
    const page = await read(pathOf(migration), { top: PAGE_TO_LOOK_THROUGH, token });
    const table = page.tables.find((one) => one.table === name) ?? null;
    if (table || !page.next) return { page, table, token };
    token = page.next;
  }
}

/**
 * Return how many tables a migration has in each state, in all of them under ``all``.
 * @param {Migration} migration
 * @returns {Record<string, number>}
 */
export function countsOf(migration) {
  const counts =
    migration.counts ??
    Object.fromEntries(
      STATES.map((state) => [state, migration.tables.filter((table) => table.state === state).length]),
    );
  return { ...counts, all: STATES.reduce((sum, state) => sum + (counts[state] ?? 0), 0) };
}

/**
 * Return a table's stages: from the report, otherwise derived from its current stage. Few tables have `index`.
 * @param {Table} table
 * @param {Stage[]} [reported] of the report; of a repeated stage the last one counts
 * @returns {Stage[]}
 */
export function stagesOf(table, reported = table.stages ?? []) {
  const known = new Map(reported.map((stage) => [stage.stage, stage]));
  const at = STAGES.indexOf(table.error?.stage ?? table.stage ?? "");
  const all = STAGES.map((stage, place) => known.get(stage) ?? { stage, state: derivedState(table, place, at) });
  return all.filter(({ stage }) => stage !== "index" || known.has(stage) || STAGES[at] === stage);
}

/**
 * @param {Table} table
 * @param {number} place of the stage
 * @param {number} at the place of the stage that the table is in, or -1
 */
function derivedState(table, place, at) {
  if (table.state === "succeeded") return "succeeded";
  if (at < 0 || place > at) return "pending";
  if (place < at) return "succeeded";
  if (table.state === "running") return table.stalled ? "stalled" : "running";
  return table.state;
}

/** @type {{of: string, report: any}} */
let cached = { of: "", report: null };

/**
 * Return a migration's report, or null while there is none; cached until a change of the migration.
 * @param {Migration} migration
 */
export async function readReport(migration) {
  if (isUnderWay(migration)) return null;
  const of = JSON.stringify([migration.id, migration.started_at, migration.finished_at, migration.operations ?? []]);
  if (cached.of !== of) {
    try {
      cached = { of, report: await read(pathOf(migration.id, "report")) };
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  }
  return cached.report;
}
