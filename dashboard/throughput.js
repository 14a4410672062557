// @ts-check
/** A table's throughput: provisioned RU/s once there is a report, before that the rate that this page observes. */

import { chart } from "./chart.js";
import { h } from "./dom.js";
import { clock, number, timeOf } from "./format.js";
import { facts } from "./parts.js";
import { ratesOf, seenOf } from "./samples.js";
import { isUnderWay } from "./status.js";

const NO_THROUGHPUT = "No throughput was set on the container for the load.";
const SHARED = "The container shares these RU/s with others of its database. They are not changed for the load.";
const NOT_PREPARED = "Nothing was loaded; the container's throughput is unchanged.";

/** @typedef {import("./status.js").Table} Table */
/** @typedef {import("./status.js").Stage} Stage */

/**
 * Return a table's throughput over time, as far as it is known.
 * @param {import("./status.js").Migration} migration
 * @param {Table} table
 * @param {any} part
 */
export function throughput(migration, table, part) {
  if (part) return provisioned(part, table);
  const seen = seenOf(migration.id, table.table);
  const rates = ratesOf(seen);
  if (!isUnderWay(table)) {
    return h(
      "p",
      { class: "soft" },
      "The RU/s before, during and after the load are in the report, which is written when the migration ends.",
    );
  }
  if (!rates.length) {
    return h(
      "p",
      { class: "soft" },
      "No data yet: the chart starts when documents are written while this page is open.",
    );
  }
  const last = rates[rates.length - 1].value;
  const since = clock(seen[0].time);
  return [
    h("p", {}, `Documents written per second since ${since}, as observed by this page. The RU/s are in the report.`),
    chart(rates, "documents/s", `Documents written per second since ${since}; last ${number(Math.round(last))}.`),
  ];
}

/**
 * Return the container's provisioned RU/s over time.
 * @param {any} part
 * @param {Table} table
 */
function provisioned(part, table) {
  const { before_ru_per_second: before, peak_ru_per_second: peak, after_ru_per_second: after } = part.throughput ?? {};
  const shared = part.throughput?.shared_ru_per_second;
  if (typeof shared === "number") {
    return [facts([["RU/s of the database", number(shared)]]), h("p", { class: "soft" }, SHARED)];
  }
  const stages = new Map((part.stages ?? []).map((/** @type {Stage} */ stage) => [stage.stage, stage]));
  const load = /** @type {Stage | undefined} */ (stages.get("load"));
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
            "Provisioned throughput over the stages. The report has the RU that were used.",
          ),
        ]
      : h("p", { class: "soft" }, bands.some((band) => band.stage === "load") ? NO_THROUGHPUT : NOT_PREPARED),
  ];
}

/** @param {Stage[]} stages */
function bandsOf(stages) {
  return stages
    .map((stage) => ({ stage: stage.stage, from: timeOf(stage.started_at) ?? NaN, seconds: stage.seconds ?? 0 }))
    .filter((stage) => !Number.isNaN(stage.from))
    .map(({ stage, from, seconds }) => ({ stage, from, until: from + seconds * 1000 }))
    .sort((one, other) => one.from - other.from);
}

/**
 * Return the RU/s over time: raised for the load, between `assess` and `load`, reset at the start of `report`.
 * @param {import("./chart.js").Band[]} bands
 * @param {number | null} before
 * @param {number | null} peak
 * @param {number | null} after
 * @returns {import("./chart.js").Step[]}
 */
function stepsOf(bands, before, peak, after) {
  const load = bands.find((band) => band.stage === "load");
  if (!load || typeof peak !== "number") return [];
  const end = Math.max(...bands.map((band) => band.until));
  const back = bands.find((band) => band.stage === "report")?.from ?? end;
  const steps = [{ from: load.from, until: back, value: peak }];
  if (typeof before === "number") steps.unshift({ from: bands[0].from, until: load.from, value: before });
  // The last value has no end; a short piece is drawn so that it is visible.
  const rest = Math.max(end - back, (end - bands[0].from) * 0.04);
  if (typeof after === "number") steps.push({ from: back, until: back + rest, value: after });
  return steps;
}
