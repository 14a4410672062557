// @ts-check
/** Connects routing, views and polling: loads the data of the current address, shows it and keeps it up to date. */

import { act, openReport } from "./actions.js";
import { Problem } from "./api.js";
import { h, update } from "./dom.js";
import { keepReading } from "./live.js";
import * as migration from "./migration_view.js";
import * as migrations from "./migrations_view.js";
import { button } from "./parts.js";
import { routeOf } from "./router.js";
import * as table from "./table_view.js";

/** @type {Record<string, any>} */
const VIEWS = { migrations, migration, table };
const BETWEEN_ANNOUNCEMENTS = 15_000;

const content = element("view");
/** @type {any} the current view with its state and data; replaced at each navigation */
let now;
/** @type {Problem | null} */
let refused = null;
let announced = { text: "", time: 0 };
let readings = 0;
/** @type {WeakSet<HTMLElement>} */
const pressed = new WeakSet();

const live = keepReading(readAgain);
addEventListener("hashchange", go);
for (const kind of ["click", "input", "change"]) document.addEventListener(kind, onEvent);
go();

/** Show the view of the current address. */
function go() {
  const isFirst = !now;
  const route = routeOf(location.hash);
  const view = VIEWS[route.view];
  const isSameMigration =
    now?.route.view === "migration" && route.view === "migration" && now.route.migration === route.migration;
  now = { route, view, state: view.begin(), data: null, problem: null, moveFocus: !isFirst && !isSameMigration };
  // Another filter of the same tables: the current rows stay until the response arrives, and so does the search text.
  if (isSameMigration)
    now.state.search = /** @type {HTMLInputElement | null} */ (document.getElementById("search"))?.value ?? "";
  refused = null;
  element("said").textContent = "";
  announced = { text: "", time: 0 };
  document.title = `${view.title(route)} – d2c`;
  if (!isSameMigration)
    update(content, [h("h1", { tabindex: -1 }, view.title(route)), h("p", { class: "soft" }, "Loading…")]);
  showProblems();
  live.now();
}

/** Load the data of the current view and show it. */
async function readAgain() {
  const mine = ++readings;
  const { view, route, state } = now;
  try {
    const data = await view.read(route, state);
    if (mine !== readings) return true;
    Object.assign(now, { data, problem: null, time: new Date() });
  } catch (error) {
    if (mine !== readings) return true;
    now.problem = problemOf(error);
  }
  show();
  // Without a key, polling stops: the user is not prompted again and again.
  if (now.problem?.status === 401) return null;
  return now.data !== null && now.view.runs(now.data);
}

function show() {
  if (now.data) {
    update(content, now.view.render(now.route, now.data, now.state));
    announce(now.view.summary(now.data));
  } else if (now.problem) {
    update(content, [
      h("h1", { tabindex: -1 }, now.view.title(now.route)),
      h("p", {}, h("a", { href: "#/migrations" }, "All migrations")),
    ]);
  }
  if (now.moveFocus) content.querySelector("h1")?.focus({ preventScroll: true });
  if (now.moveFocus) scrollTo(0, 0);
  now.moveFocus = false;
  showProblems();
}

function showProblems() {
  update(element("problems"), [
    now.problem ? panel(now.problem, "Refresh", "read") : null,
    refused ? panel(refused, "Dismiss", "dismiss") : null,
  ]);
  const time = now.time?.toISOString().slice(11, 19);
  element("live").className = now.problem ? "live is-off" : "live";
  update(element("live"), [time ? `${now.problem ? "last updated" : "updated"} ${time} UTC` : "loading"]);
}

/**
 * @param {Problem} problem
 * @param {string} text of its button
 * @param {string} deed
 */
function panel(problem, text, deed) {
  return h(
    "div",
    { class: "error", "data-key": deed },
    h("p", {}, h("span", { class: "bad" }, problem.title)),
    problem.detail ? h("p", {}, problem.detail) : null,
    problem.faults.length > 1
      ? h(
          "ul",
          {},
          problem.faults.map((fault) => h("li", {}, fault)),
        )
      : null,
    problem.nextStep ? h("p", {}, h("em", {}, problem.nextStep)) : null,
    button(text, deed),
  );
}

/**
 * Announce the state to screen readers if it has changed, and not too often.
 * @param {string} text
 */
function announce(text) {
  const time = Date.now();
  if (text === announced.text || (announced.text && time - announced.time < BETWEEN_ANNOUNCEMENTS)) return;
  // The first state of a view is on the page; only changes are announced.
  if (announced.text) element("news").textContent = text;
  announced = { text, time };
}

/** @type {Record<string, (target: HTMLElement, event: Event) => Promise<void>>} */
const COMMON = {
  async read() {
    await live.now();
  },
  async dismiss() {
    refused = null;
    showProblems();
    content.querySelector("h1")?.focus({ preventScroll: true });
  },
  async skip(_, event) {
    event.preventDefault();
    content.querySelector("h1")?.focus();
  },
  async report(_, event) {
    await openReport(now.route.migration, event);
  },
  ...Object.fromEntries(
    ["retry", "cancel", "suspend", "resume"].map((deed) => [
      deed,
      (/** @type {HTMLElement} */ target) => perform(deed, target),
    ]),
  ),
};

/**
 * Perform an action on the migration or a part of it and show the confirmation.
 * @param {string} deed
 * @param {HTMLElement} target
 */
async function perform(deed, target) {
  const said = await act(deed, {
    migration: now.route.migration,
    table: target.dataset.table,
    operation: target.dataset.operation,
  });
  if (said === null) return;
  refused = null;
  element("news").textContent = said;
  element("said").textContent = said;
  await live.now();
}

/** @param {Event} event */
async function onEvent(event) {
  const target = /** @type {Element} */ (event.target).closest?.("[data-do]");
  if (!(target instanceof HTMLElement) || event.type !== kindOf(target)) return;
  // Repeated clicks count once; of typed or selected values the last one counts.
  if (event.type === "click" && pressed.has(target)) return;
  const mine = now;
  pressed.add(target);
  try {
    await respond(target.dataset.do ?? "", target, event);
  } catch (error) {
    if (mine !== now) return;
    refused = problemOf(error);
    element("said").textContent = "";
    showProblems();
  } finally {
    pressed.delete(target);
  }
}

/**
 * @param {string} deed
 * @param {HTMLElement} target
 * @param {Event} event
 */
async function respond(deed, target, event) {
  if (COMMON[deed]) return COMMON[deed](target, event);
  const mine = now;
  if (!mine.data) return undefined;
  const isReadAnew = await mine.view.deeds[deed](mine.state, target, mine.route, mine.data);
  if (mine !== now) return undefined;
  return isReadAnew ? live.now() : show();
}

/** @param {HTMLElement} target */
function kindOf(target) {
  if (target instanceof HTMLInputElement) return "input";
  return target instanceof HTMLSelectElement ? "change" : "click";
}

/** @param {unknown} error */
function problemOf(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem({ title: "Error in this page", detail: String(error), next_step: "Reload the page." });
}

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
