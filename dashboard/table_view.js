// @ts-check
/** One table of a migration: how it stands, its stages, throughput, rejected items and mismatches. */

import { tableButtons } from "./actions.js";
import { Problem } from "./api.js";
import { chart, swatch } from "./chart.js";
import { h } from "./dom.js";
import { clock, duration, expected, number, size, timeOf } from "./format.js";
import { badCount, bar, facts, moment, table as listed, trail, trouble } from "./parts.js";
import { badge, pipeline } from "./pipeline.js";
import { beginBrowsing, browsingDeeds, mismatches, readFirst, rejectedItems } from "./rejected_view.js";
import { LIST, migrationAddress } from "./router.js";
import { note, ratesOf, seenOf } from "./samples.js";
import { isUnderWay, readReport, readTable, stagesOf } from "./status.js";
import { stallNote, waitNote } from "./table_rows.js";

/** @typedef {{migration: import("./status.js").Migration, table: import("./status.js").Table, part: any}} Data */
/** @typedef {import("./rejected_view.js").Browsing & {token: string | null}} Browsing token: of the page that has the table */

/** @param {import("./router.js").Route} route */
export function title(route) {
  return `${route.table}, ${route.migration}`;
}

/** @returns {Browsing} */
export function begin() {
  return { ...beginBrowsing(), token: null };
}

/**
 * @param {import("./router.js").Route} route
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
 * @param {import("./router.js").Route} route
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
    part ? h("p", { class: "soft" }, "to ", h("code", {}, `${part.database}/${part.container}`)) : null,
    table.error ? trouble(table.error) : null,
    stallNote(table),
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
  return h(
    "div",
    { class: "whole" },
    bar(table.percent, `Progress of ${table.table}`),
    arrival ? h("p", { class: "soft" }, "ends ", h("strong", {}, arrival)) : null,
  );
}

/** @type {Record<string, (browsing: Browsing, element: HTMLElement, route: import("./router.js").Route) => Promise<void>>} */
export const deeds = Object.fromEntries(
  Object.entries(browsingDeeds).map(([name, deed]) => [
    name,
    (
      /** @type {Browsing} */ browsing,
      /** @type {HTMLElement} */ element,
      /** @type {import("./router.js").Route} */ route,
    ) => deed(browsing, element, route.migration, route.table),
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
    ...(part ? /** @type {[string, string][]} */ ([["Size in DynamoDB", size(part.export?.bytes)]]) : []),
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
            { heading: "took", isNumber: true },
            { heading: "started (UTC)", isNumber: true },
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
      : h("p", { class: "soft" }, "How long each stage took comes with the report, once the migration has ended."),
  ];
}

/**
 * @param {import("./status.js").Migration} migration
 * @param {import("./status.js").Table} table
 * @param {any} part
 */
function throughput(migration, table, part) {
  if (part) return provisioned(part, table);
  const seen = seenOf(migration.id, table.table);
  const rates = ratesOf(seen);
  if (!isUnderWay(table)) {
    return h(
      "p",
      { class: "soft" },
      "RU/s before, during and after the load come with the report, once the migration has ended.",
    );
  }
  if (!rates.length) {
    return h(
      "p",
      { class: "soft" },
      "There is nothing to draw yet: the chart begins once documents are written while this page looks on.",
    );
  }
  const last = rates[rates.length - 1].value;
  const since = clock(seen[0].time);
  return [
    h("p", {}, `Documents written per second, as this page has seen it since ${since}. RU/s come with the report.`),
    chart(rates, "documents/s", `Documents written per second since ${since}; last ${number(Math.round(last))}.`),
  ];
}

/**
 * Return the RU/s that the container was given, and when.
 * @param {any} part
 * @param {import("./status.js").Table} table
 */
function provisioned(part, table) {
  const { before_ru_per_second: before, peak_ru_per_second: peak, after_ru_per_second: after } = part.throughput ?? {};
  const stages = new Map(
    (part.stages ?? []).map((/** @type {import("./status.js").Stage} */ stage) => [stage.stage, stage]),
  );
  const load = /** @type {import("./status.js").Stage | undefined} */ (stages.get("load"));
  const perSecond = load?.seconds && table.items_written ? Math.round(table.items_written / load.seconds) : null;
  const bands = bandsOf([...stages.values()]);
  const steps = stepsOf(bands, before, peak, after);
  return [
    facts([
      ["RU/s before", number(before)],
      ["RU/s during load", number(peak)],
      ["RU/s after", number(after)],
      ["Documents/s in load, on average", number(perSecond)],
    ]),
    steps.length
      ? [
          chart(
            steps,
            "RU/s",
            `Provisioned RU/s: ${number(before)} before, ${number(peak)} during the load, ${number(after)} after.`,
            bands,
          ),
          h(
            "p",
            { class: "soft" },
            "What the container was given, at the times of the stages. What the load used of it is not recorded.",
          ),
        ]
      : h("p", { class: "soft" }, "The container was given no throughput of its own for the load."),
  ];
}

/** @param {import("./status.js").Stage[]} stages */
function bandsOf(stages) {
  return stages
    .map((stage) => ({ stage: stage.stage, from: timeOf(stage.started_at) ?? NaN, seconds: stage.seconds ?? 0 }))
    .filter((stage) => !Number.isNaN(stage.from))
    .map(({ stage, from, seconds }) => ({ stage, from, until: from + seconds * 1000 }))
    .sort((one, other) => one.from - other.from);
}

/**
 * Return the RU/s over time: raised when `prepare` was done, put back when `report` began.
 * @param {import("./chart.js").Band[]} bands
 * @param {number | null} before
 * @param {number | null} peak
 * @param {number | null} after
 * @returns {import("./chart.js").Step[]}
 */
function stepsOf(bands, before, peak, after) {
  const prepare = bands.find((band) => band.stage === "prepare");
  if (!prepare || typeof peak !== "number") return [];
  const end = Math.max(...bands.map((band) => band.until));
  const back = bands.find((band) => band.stage === "report")?.from ?? end;
  const steps = [{ from: prepare.until, until: back, value: peak }];
  if (typeof before === "number") steps.unshift({ from: bands[0].from, until: prepare.until, value: before });
  // The last value holds on; a little of it is drawn so that it can be seen.
  const rest = Math.max(end - back, (end - bands[0].from) * 0.04);
  if (typeof after === "number") steps.push({ from: back, until: back + rest, value: after });
  return steps;
}
