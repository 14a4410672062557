// @ts-check
/** What a reader can have done to a migration or one of its tables. */

import { hasKey, pathOf, post, reportPage } from "./api.js";
import { confirm } from "./dialogs.js";
import { h } from "./dom.js";
import { button } from "./parts.js";
import { canRetry, countsOf, isUnderWay } from "./status.js";

const CANCELLING = "What runs outside is stopped and throughput is put back. What was written to the containers stays. "
  + "A retry goes on from the stage that was cancelled.";

/** @typedef {import("./status.js").Migration} Migration */
/** @typedef {{migration: string, table?: string}} Subject */

/**
 * Each thing to do: what is asked for first, the call, and what is said once the app has accepted it.
 * @type {Record<string, {title?: (subject: Subject) => string, yes?: string, said: (subject: Subject) => string}>}
 */
const DEEDS = {
  retry: { said: ({ table, migration }) => `Retry of ${table ?? migration} was accepted.` },
  cancel: {
    title: ({ table, migration }) => (table ? `Cancel table ${table}?` : `Cancel migration ${migration}?`),
    yes: "Cancel it",
    said: ({ table, migration }) => `Cancellation of ${table ?? migration} was accepted.`,
  },
  suspend: { said: ({ migration }) => `${migration} is suspended: no new stage begins.` },
  resume: { said: ({ migration }) => `${migration} goes on.` },
};

/**
 * Do one of the deeds, if the reader confirms those that cannot be taken back.
 * @param {string} deed
 * @param {Subject} subject the whole migration, or one table of it
 * @returns {Promise<string | null>} what to say, or null if the reader thought better of it
 */
export async function act(deed, subject) {
  const { title, yes = "", said } = DEEDS[deed];
  if (title && !(await confirm(title(subject), CANCELLING, yes))) return null;
  await post(pathOf(subject.migration, deed), subject.table === undefined ? null : bodyOf(deed, subject.table));
  return said(subject);
}

/**
 * @param {string} deed
 * @param {string} table
 */
function bodyOf(deed, table) {
  return { tables: [deed === "retry" ? { table } : table] };
}

/**
 * Return the buttons for a whole migration.
 * @param {Migration} migration
 */
export function migrationButtons(migration) {
  const counts = countsOf(migration);
  const canBeRetried = (counts.failed ?? 0) + (counts.cancelled ?? 0);
  const runs = isUnderWay(migration);
  return h("div", { class: "buttons" },
    !runs && canBeRetried ? button(`Retry ${canBeRetried} ${canBeRetried === 1 ? "table" : "tables"}`, "retry", { class: "primary", "data-key": "retry" }) : null,
    runs && !migration.paused ? button("Suspend", "suspend", { "data-key": "suspend" }) : null,
    runs && migration.paused ? button("Resume", "resume", { class: "primary", "data-key": "resume" }) : null,
    runs ? button("Cancel…", "cancel", { class: "danger", "data-key": "cancel" }) : null,
    runs ? null : reportLink(migration.id));
}

/**
 * Return the buttons for one table.
 * @param {Migration} migration
 * @param {import("./status.js").Table} table
 */
export function tableButtons(migration, table) {
  return h("div", { class: "buttons" },
    canRetry(table) ? retryButton(table.table, true) : null,
    isUnderWay(migration) && isUnderWay(table)
      ? button("Cancel this table…", "cancel", { class: "danger", "data-table": table.table, "data-key": "cancel" })
      : null,
    isUnderWay(migration) ? null : reportLink(migration.id));
}

/**
 * Return the button that retries one table.
 * @param {string} table
 * @param {boolean} [isPrimary]
 */
export function retryButton(table, isPrimary = false) {
  return button("Retry this table", "retry", {
    class: isPrimary ? "primary" : null, "data-table": table, "data-key": "retry", "aria-label": `Retry table ${table}`,
  });
}

/** @param {string} migration */
function reportLink(migration) {
  return h("a", {
    class: "button", href: new URL(`../${pathOf(migration, "report")}`, import.meta.url).href,
    target: "_blank", rel: "noopener", "data-do": "report", "data-key": "report",
  }, "Report");
}

/**
 * Save a migration's report as a file where a link cannot be followed: a link sends no key.
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
