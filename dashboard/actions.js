// @ts-check
/** Actions on a migration or one of its tables. */

import { hasKey, pathOf, post, reportPage } from "./api.js";
import { confirm } from "./dialogs.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { button } from "./parts.js";
import { canRetry, countsOf, isUnderWay } from "./status.js";

const CANCELLING =
  "External runs are stopped and throughput is reset. Documents that were written stay. " +
  "A retry resumes from the cancelled stage.";
const CANCELLING_OPERATION = "Records, report and documents stay as they are. Requesting it again starts over.";

/** @typedef {import("./status.js").Migration} Migration */
/** @typedef {{migration: string, table?: string, operation?: string}} Subject operation: a running operation, such as `replay 2` */

/**
 * Confirmations, shown once the app has accepted an action.
 * @type {Record<string, (subject: Subject) => string>}
 */
const SAID = {
  retry: (subject) => `Retry of ${nameOf(subject)} was accepted.`,
  cancel: (subject) => `Cancellation of ${nameOf(subject)} was accepted.`,
  suspend: (subject) => `Suspended ${nameOf(subject)}: no new stage starts.`,
  resume: (subject) => `Resumed ${nameOf(subject)}.`,
};

/**
 * Perform an action; a cancellation only after a confirmation.
 * @param {string} deed
 * @param {Subject} subject the whole migration, or a part of it
 * @returns {Promise<string | null>} the confirmation to show, or null if the user declined
 */
export async function act(deed, subject) {
  const consequence = subject.operation ? CANCELLING_OPERATION : CANCELLING;
  if (deed === "cancel" && !(await confirm(`Cancel ${nameOf(subject)}?`, consequence, "Cancel it"))) return null;
  await post(pathOf(subject.migration, deed), subject.table === undefined ? null : bodyOf(deed, subject.table));
  return SAID[deed](subject);
}

/** @param {Subject} subject */
function nameOf({ migration, table, operation }) {
  if (table !== undefined) return `table ${table}`;
  return operation ?? `migration ${migration}`;
}

/**
 * @param {string} deed
 * @param {string} table
 */
function bodyOf(deed, table) {
  return { tables: [deed === "retry" ? { table } : table] };
}

/**
 * Return whether a retry is possible now: no table or operation of the migration is running.
 * @param {Migration} migration
 */
export function isAtRest(migration) {
  return !isUnderWay(migration) && !runningOperation(migration);
}

/**
 * Return the buttons for a whole migration.
 * @param {Migration} migration
 */
export function migrationButtons(migration) {
  const { failed = 0, cancelled = 0 } = countsOf(migration);
  const toRetry = failed + cancelled;
  const operation = runningOperation(migration);
  const runs = isUnderWay(migration);
  return h(
    "div",
    { class: "buttons" },
    toRetry && isAtRest(migration)
      ? button(`Retry ${number(toRetry)} ${toRetry === 1 ? "table" : "tables"}`, "retry", {
          class: "primary",
          "data-key": "retry",
        })
      : null,
    runs && !migration.paused ? button("Suspend", "suspend", { "data-key": "suspend" }) : null,
    runs && migration.paused ? button("Resume", "resume", { class: "primary", "data-key": "resume" }) : null,
    runs ? button("Cancel…", "cancel", { class: "danger", "data-key": "cancel" }) : null,
    operation
      ? button(`Cancel ${operation}…`, "cancel", { class: "danger", "data-operation": operation, "data-key": "cancel" })
      : null,
    runs ? null : reportLink(migration.id),
  );
}

/**
 * Return the buttons for one table.
 * @param {Migration} migration
 * @param {import("./status.js").Table} table
 */
export function tableButtons(migration, table) {
  return h(
    "div",
    { class: "buttons" },
    canRetry(table) && isAtRest(migration) ? retryButton(table.table, true) : null,
    isUnderWay(migration) && isUnderWay(table)
      ? button("Cancel this table…", "cancel", { class: "danger", "data-table": table.table, "data-key": "cancel" })
      : null,
    isUnderWay(migration) ? null : reportLink(migration.id),
  );
}

/**
 * Return the button that retries one table.
 * @param {string} table
 * @param {boolean} [isPrimary]
 */
export function retryButton(table, isPrimary = false) {
  return button("Retry this table", "retry", {
    class: isPrimary ? "primary" : null,
    "data-table": table,
    "data-key": "retry",
    "aria-label": `Retry this table: ${table}`,
  });
}

/** @param {Migration} migration */
function runningOperation({ operations = [] }) {
  // A retry is the migration itself, which has a button of its own.
  const running = operations.find((one) => one.operation !== "retry" && isUnderWay(one));
  return running ? `${running.operation} ${running.number}` : null;
}

/** @param {string} migration */
function reportLink(migration) {
  return h(
    "a",
    {
      class: "button",
      href: new URL(`../${pathOf(migration, "report")}`, import.meta.url).href,
      target: "_blank",
      rel: "noopener",
      "data-do": "report",
      "data-key": "report",
    },
    "Report",
  );
}

/**
 * Download a migration's report where a key is needed, since a link cannot send one.
 * @param {string} migration
 * @param {Event} event the click on the link
 */
export async function openReport(migration, event) {
  if (!hasKey()) return;
  event.preventDefault();
  const url = URL.createObjectURL(await reportPage(migration));
  const link = h("a", { href: url, download: `${migration}-report.html` });
  /** @type {HTMLAnchorElement} */ (link).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
