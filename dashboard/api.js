// @ts-check
/** Calls of the HTTP API. The function key travels in a header only, and is kept for as long as the tab is open. */

import { askForKey } from "./dialogs.js";

const ROOT = new URL("../", import.meta.url);
const KEY = "d2c-function-key";
const LONGEST_SECONDS = 60;

/** @type {Promise<void> | null} */
let asking = null;

/** A failed request, as the API describes it. */
export class Problem extends Error {
  /**
   * @param {{status?: number, title?: string, detail?: string, next_step?: string, faults?: string[]}} problem
   */
  constructor({ status = 0, title = "The request failed", detail = "", next_step: nextStep = "", faults = [] }) {
    super(`${title}. ${detail}`);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.nextStep = nextStep;
    this.faults = faults;
  }
}

/**
 * Return the address of a call.
 * @param {string} path below the API's root; its parts are encoded already
 * @param {Record<string, string | number | null | undefined>} [parameters] those without a value are left out
 */
export function address(path, parameters = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url;
}

/**
 * Return the path of a migration or a resource below it.
 * @param {string} migration
 * @param {string} [part] such as `report`
 */
export function pathOf(migration, part = "") {
  return `migrations/${encodeURIComponent(migration)}${part ? `/${part}` : ""}`;
}

/**
 * Send a GET request.
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters]
 * @returns {Promise<any>} the answer's JSON
 * @throws {Problem}
 */
export async function read(path, parameters = {}) {
  return (await call(address(path, parameters), { headers: { Accept: "application/json" } })).json();
}

/**
 * Send a POST request.
 * @param {string} path
 * @param {object | null} [body]
 * @returns {Promise<any>} the answer's JSON
 * @throws {Problem}
 */
export async function post(path, body = null) {
  const headers = { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) };
  return (await call(address(path), { method: "POST", headers, body: body ? JSON.stringify(body) : null })).json();
}

/**
 * Return a migration's report as a page.
 * @param {string} migration
 * @throws {Problem}
 */
export async function reportPage(migration) {
  return (await call(address(pathOf(migration, "report")), { headers: { Accept: "text/html" } })).blob();
}

/** Return whether requests send a key; a plain link to the API does not work then. */
export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

/**
 * @param {URL} url
 * @param {RequestInit} request
 * @returns {Promise<Response>}
 */
async function call(url, request) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const headers = { ...request.headers, ...(key ? { "x-functions-key": key } : {}) };
    const answer = await fetched(url, { ...request, headers });
    if (answer.ok) return answer;
    if (answer.status !== 401) throw await problemOf(answer);
    // Another call may have asked for the key meanwhile.
    if (key === sessionStorage.getItem(KEY)) await newKey(key !== null);
  }
}

/**
 * @param {URL} url
 * @param {RequestInit} request
 */
async function fetched(url, request) {
  try {
    return await fetch(url, { ...request, cache: "no-store", signal: AbortSignal.timeout(LONGEST_SECONDS * 1000) });
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    throw new Problem({
      title: "The app cannot be reached",
      detail: isLate ? `There was no answer within ${LONGEST_SECONDS} seconds.` : "The connection failed.",
      next_step: "This page retries. If it keeps failing, check that the Function app is running.",
    });
  }
}

/** @param {boolean} wasRefused */
async function newKey(wasRefused) {
  asking ??= askForKey(wasRefused).then((key) => {
    asking = null;
    if (key === null) {
      throw new Problem({
        status: 401,
        title: "A function key is needed",
        detail: "The app requires one of its function keys.",
        next_step: "Press “Refresh” and enter one.",
      });
    }
    sessionStorage.setItem(KEY, key);
  });
  await asking;
}

/** @param {Response} answer */
async function problemOf(answer) {
  const problem = await answer.json().catch(() => null);
  if (problem && typeof problem === "object" && problem.title) return new Problem({ ...problem, status: answer.status });
  return new Problem({
    status: answer.status,
    title: `The app answered with status ${answer.status}`,
    detail: "The response has no details.",
    next_step: "Check the app's log.",
  });
}
