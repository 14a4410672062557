// @ts-check
/** Lists of a table's rejected items and mismatches, with filters and paging. */

import { pathOf, read } from "./api.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { button, facts, badCount, table as listed } from "./parts.js";
import { isUnderWay, MISMATCH_KINDS } from "./status.js";

const PAGE = 20;
const MISMATCHES_AT_ONCE = 20;

/**
 * @typedef {{table: string, file?: string, line?: number, reason: string, detail?: string, keys?: object, item?: unknown}} Rejected
 * @typedef {object} Browsing
 * @property {Rejected[]} items the loaded ones
 * @property {string | null} next the next page's token
 * @property {string} reason the selected one, or empty
 * @property {number | null} count the number of rejected items when they were loaded; null before
 * @property {string[]} reasons all that occurred so far
 * @property {string} kind of the mismatches shown, or empty
 * @property {number} most how many mismatches are shown
 */

/** @returns {Browsing} */
export function beginBrowsing() {
  return { items: [], next: null, reason: "", count: null, reasons: [], kind: "", most: MISMATCHES_AT_ONCE };
}

/**
 * Load the first rejected items of a table unless they are loaded and unchanged.
 * @param {string} migration
 * @param {import("./status.js").Table} table
 * @param {Browsing} browsing
 */
export async function readFirst(migration, table, browsing) {
  const count = table.items_rejected ?? 0;
  if (count === browsing.count || (browsing.items.length > 0 && isUnderWay(table))) return;
  if (count > 0) await readItems(migration, table.table, browsing);
  else Object.assign(browsing, { items: [], next: null });
  browsing.count = count;
}

/**
 * Load rejected items: the first page or the next one.
 * @param {string} migration
 * @param {string} table
 * @param {Browsing} browsing
 * @param {boolean} [goOn]
 */
export async function readItems(migration, table, browsing, goOn = false) {
  const { reason } = browsing;
  const page = await read(pathOf(migration, "rejected"), {
    table,
    reason,
    top: PAGE,
    token: goOn ? browsing.next : null,
  });
  // The user may have selected another reason meanwhile.
  if (reason !== browsing.reason) return;
  browsing.items = [...(goOn ? browsing.items : []), ...page.rejected];
  browsing.next = page.next ?? null;
  browsing.reasons = [...new Set([...browsing.reasons, ...browsing.items.map((item) => item.reason)])].sort();
}

/**
 * Return the rejected items of a table.
 * @param {import("./status.js").Table} table
 * @param {any} part the table's part of the report, or null
 * @param {Browsing} browsing
 */
export function rejectedItems(table, part, browsing) {
  const count = table.items_rejected;
  if (!count) return h("p", {}, count === 0 ? "No rejected items." : "The items have not been assessed yet.");
  return [
    reasonChoice(part?.rejected_by_reason ?? {}, browsing),
    h("ul", { class: "items", "aria-label": "Rejected items" }, browsing.items.map(rejectedItem)),
    browsing.items.length
      ? null
      : h("p", {}, browsing.next ? "No match so far." : "No match."),
    h(
      "p",
      { class: "more-of" },
      h("span", { role: "status" }, `${number(browsing.items.length)} shown`),
      browsing.next
        ? button(browsing.items.length ? `Show ${PAGE} more items` : "Search further", "more-rejected")
        : null,
    ),
  ];
}

/**
 * @param {Record<string, number>} byReason
 * @param {Browsing} browsing
 */
function reasonChoice(byReason, browsing) {
  const reasons = [...new Set([...Object.keys(byReason), ...browsing.reasons])].sort();
  return h(
    "p",
    { class: "choice" },
    h("label", { for: "reason" }, "Reason"),
    h(
      "select",
      { id: "reason", "data-do": "reason" },
      h("option", { value: "" }, "any"),
      reasons.map((reason) =>
        h(
          "option",
          { value: reason, "data-key": reason },
          byReason[reason] === undefined ? reason : `${reason} (${number(byReason[reason])})`,
        ),
      ),
    ),
  );
}

/** @param {Rejected} item */
function rejectedItem(item) {
  const place = `${item.file ?? ""}:${item.line ?? ""}`;
  return h(
    "li",
    { "data-key": place },
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: "bad" }, item.reason),
        h("code", {}, keysText(item.keys)),
        h("small", {}, place),
      ),
      item.detail ? h("p", {}, item.detail) : null,
      h("pre", { tabindex: 0, "aria-label": "The item as exported" }, JSON.stringify(item.item, null, 2) ?? "not recorded"),
    ),
  );
}

/** @param {object | undefined} keys attribute values as DynamoDB writes them */
function keysText(keys) {
  return Object.entries(keys ?? {})
    .map(([name, value]) => `${name}=${value && typeof value === "object" ? Object.values(value).join(" ") : value}`)
    .join(", ");
}

/**
 * Return the result of a table's verification.
 * @param {any} part the table's part of the report, or null
 * @param {Browsing} browsing
 */
export function mismatches(part, browsing) {
  const verification = part?.verification;
  if (!verification)
    return h("p", {}, "Mismatches are in the report, which is written when the migration ends.");
  if (verification.expected === null || verification.expected === undefined)
    return h("p", {}, "The table was not verified.");
  /** @type {any[]} */
  const all = part.mismatches ?? [];
  const chosen = all.filter((one) => !browsing.kind || one.kind === browsing.kind);
  return [
    facts([
      ["Method", verification.method],
      ["Expected", number(verification.expected)],
      ["Actual", number(verification.actual)],
      .../** @type {[string, Node][]} */ (MISMATCH_KINDS.map((kind) => [capital(kind), badCount(verification[kind])])),
    ]),
    all.length ? kindChoice(all, browsing.kind) : null,
    chosen.length ? mismatchTable(chosen.slice(0, browsing.most)) : null,
    all.length
      ? h(
          "p",
          { class: "more-of" },
          h(
            "span",
            { role: "status" },
            `${number(Math.min(chosen.length, browsing.most))} of ${number(chosen.length)} listed in the report`,
          ),
          chosen.length > browsing.most
            ? button(`Show ${MISMATCHES_AT_ONCE} more mismatches`, "more-mismatches")
            : null,
        )
      : null,
  ];
}

/**
 * @param {{kind: string}[]} all
 * @param {string} chosen
 */
function kindChoice(all, chosen) {
  const kinds = ["", ...MISMATCH_KINDS.filter((kind) => all.some((one) => one.kind === kind))];
  return h(
    "div",
    { class: "chips", role: "group", "aria-label": "Kind of mismatch" },
    kinds.map((kind) =>
      button(kind || "all", "kind", {
        class: "chip",
        "data-kind": kind,
        "data-key": `kind ${kind}`,
        "aria-pressed": String(kind === chosen),
      }),
    ),
  );
}

/** @param {{kind: string, document: string, properties?: string[]}[]} shown */
function mismatchTable(shown) {
  return listed(
    "Mismatches",
    [{ heading: "Document" }, { heading: "Mismatch" }, { heading: "Properties" }],
    shown.map((one, place) => ({
      key: `mismatch ${place}`,
      cells: [
        h("code", {}, one.document),
        one.kind,
        one.properties?.length ? one.properties.map((name) => [h("code", {}, name), " "]).flat() : "the whole document",
      ],
    })),
  );
}

/**
 * The actions of this view.
 * @type {Record<string, (browsing: Browsing, element: HTMLElement, migration: string, table: string) => Promise<void>>}
 */
export const browsingDeeds = {
  async reason(browsing, element, migration, table) {
    browsing.reason = /** @type {HTMLSelectElement} */ (element).value;
    await readItems(migration, table, browsing);
  },
  async "more-rejected"(browsing, _, migration, table) {
    await readItems(migration, table, browsing, true);
  },
  async kind(browsing, element) {
    browsing.kind = element.dataset.kind ?? "";
    browsing.most = MISMATCHES_AT_ONCE;
  },
  async "more-mismatches"(browsing) {
    browsing.most += MISMATCHES_AT_ONCE;
  },
};

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
