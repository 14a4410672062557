// @ts-check
/** Components that several views share. */

import { h } from "./dom.js";
import { number, percent, timeOf, UNKNOWN } from "./format.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {{heading: string, isNumber?: boolean, class?: string}} Column */

/**
 * Return names with their values, side by side where there is room.
 * @param {[string, Child | Child[]][]} pairs
 */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/**
 * Return a count that is highlighted unless it is zero.
 * @param {number | null | undefined} count
 */
export function badCount(count) {
  return h("span", { class: count ? "bad" : null }, number(count));
}

/**
 * Return a time in UTC without its fractions, as in the report.
 * @param {string | null | undefined} iso
 */
export function moment(iso) {
  const time = timeOf(iso);
  if (time === null) return UNKNOWN;
  const text = new Date(time).toISOString();
  return h("time", { datetime: text }, text.slice(0, 19).replace("T", " "));
}

/**
 * Return a progress bar.
 * @param {number | null | undefined} value its percentage; unknown if null
 * @param {string} label for screen readers
 */
export function bar(value, label) {
  const known = typeof value === "number" ? Math.max(0, Math.min(100, value)) : 0;
  return h(
    "span",
    { class: "bar" },
    h("progress", { max: 100, value: known, "aria-label": label }),
    h("span", { class: "percent" }, percent(value)),
  );
}

/**
 * Return a table whose rows become cards on a narrow page; the roles keep it a table for screen readers.
 * @param {string} caption for screen readers
 * @param {Column[]} columns
 * @param {{key: string, cells: (Child | Child[])[], more?: Child | Child[]}[]} rows more: content
 *   below a row, over its whole width
 */
export function table(caption, columns, rows) {
  return h(
    "table",
    { role: "table", class: "cards" },
    h("caption", { class: "unseen" }, caption),
    h(
      "thead",
      { role: "rowgroup" },
      h(
        "tr",
        { role: "row" },
        columns.map((column) =>
          h("th", { role: "columnheader", scope: "col", class: classOf(column) }, column.heading),
        ),
      ),
    ),
    h(
      "tbody",
      { role: "rowgroup" },
      rows.map((row) => [
        h(
          "tr",
          { role: "row", "data-key": row.key, class: row.more ? "has-more" : null },
          row.cells.map((cell, place) =>
            h(
              place ? "td" : "th",
              {
                role: place ? "cell" : "rowheader",
                scope: place ? null : "row",
                class: classOf(columns[place]),
                "data-heading": columns[place].heading,
              },
              cell,
            ),
          ),
        ),
        row.more
          ? h(
              "tr",
              { role: "row", "data-key": `${row.key} more`, class: "more" },
              h("td", { role: "cell", colspan: columns.length, "aria-colspan": columns.length }, row.more),
            )
          : null,
      ]),
    ),
  );
}

/** @param {Column} column */
function classOf(column) {
  return [column.isNumber ? "number" : "", column.class ?? ""].join(" ").trim() || null;
}

/**
 * Return an error with its next step.
 * @param {{title?: string, detail?: string, next_step?: string, stage?: string}} error
 * @param {Child | Child[]} [more]
 */
export function trouble(error, more = null) {
  return h(
    "div",
    { class: "error" },
    h("p", {}, h("span", { class: "bad" }, error.title ?? "Failed"), error.stage ? ` (stage ${error.stage})` : null),
    error.detail ? h("p", {}, error.detail) : null,
    error.next_step ? h("p", {}, h("em", {}, error.next_step)) : null,
    more,
  );
}

/**
 * Return a button; `deed` is the name of its action.
 * @param {string} text
 * @param {string} deed
 * @param {Record<string, string | boolean | null>} [attributes]
 */
export function button(text, deed, attributes = {}) {
  return h("button", { type: "button", "data-do": deed, ...attributes }, text);
}

/**
 * Return the breadcrumb of a view.
 * @param {[string, string][]} links texts with their addresses
 * @param {string} here
 */
export function trail(links, here) {
  return h(
    "nav",
    { class: "trail", "aria-label": "Breadcrumb" },
    h(
      "ol",
      {},
      links.map(([text, href]) => h("li", {}, h("a", { href }, text))),
      h("li", { "aria-current": "page" }, here),
    ),
  );
}
