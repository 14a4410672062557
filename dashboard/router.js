// @ts-check
/** Which view an address asks for. What follows the `#` never leaves the browser. */

/**
 * @typedef {object} Route
 * @property {"migrations" | "migration" | "table"} view
 * @property {string} migration its id, or empty
 * @property {string} table its name, or empty
 * @property {string} state the state of the tables to show, or empty for all
 */

/**
 * Return the route of an address' fragment.
 * @param {string} fragment such as `#/migrations/music-2026/tables/Orders`
 * @returns {Route}
 */
export function routeOf(fragment) {
  const [path, query = ""] = fragment.replace(/^#?\/?/, "").split("?");
  const [first, migration, second, table] = path.split("/").map(decoded);
  const state = new URLSearchParams(query).get("state") ?? "";
  if (first !== "migrations" || !migration) return { view: "migrations", migration: "", table: "", state: "" };
  if (second !== "tables" || !table) return { view: "migration", migration, table: "", state };
  return { view: "table", migration, table, state: "" };
}

export const LIST = "#/migrations";

/**
 * Return the address of a migration.
 * @param {string} migration
 * @param {string} [state] shows only its tables in this state
 */
export function migrationAddress(migration, state = "") {
  return `${LIST}/${encodeURIComponent(migration)}${state ? `?state=${encodeURIComponent(state)}` : ""}`;
}

/**
 * Return the address of a table of a migration.
 * @param {string} migration
 * @param {string} table
 */
export function tableAddress(migration, table) {
  return `${migrationAddress(migration)}/tables/${encodeURIComponent(table)}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
