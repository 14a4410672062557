// @ts-check
/** Pictures of states and stages, which differ by shape and not by colour alone. */

import { h, svg } from "./dom.js";
import { duration } from "./format.js";

/** The words for a stage's state. */
const WORDS = /** @type {Record<string, string>} */ ({
  succeeded: "done",
  running: "running",
  pending: "not started",
  stalled: "stalled",
  failed: "failed",
  cancelled: "cancelled",
});

/** Each shape in a square of 20: its outline and the drawing on it. */
const SHAPES = /** @type {Record<string, [string, string]>} */ ({
  succeeded: ["M10 1a9 9 0 1 1 0 18a9 9 0 1 1 0-18z", "M5.8 10.3l2.9 2.9l5.5-6"],
  running: ["M10 1a9 9 0 1 1 0 18a9 9 0 1 1 0-18z", "M8 6.3v7.4l5.8-3.7z"],
  pending: ["M10 3.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13z", ""],
  stalled: ["M10 1.5L19.2 18H.8z", "M10 7.3v5M10 15.2v.3"],
  failed: ["M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z", "M6.7 6.7l6.6 6.6M13.3 6.7l-6.6 6.6"],
  cancelled: ["M2 2h16v16H2z", "M5.8 10h8.4"],
});

/**
 * Return the picture of a state.
 * @param {string} state
 */
export function picture(state) {
  const [outline, drawn] = SHAPES[state] ?? SHAPES.pending;
  return svg(
    "svg",
    { class: `picture is-${state in SHAPES ? state : "pending"}`, viewBox: "0 0 20 20", "aria-hidden": "true" },
    svg("path", { class: "outline", d: outline }),
    drawn ? svg("path", { class: "drawn", d: drawn }) : null,
  );
}

/**
 * Return a state with its picture.
 * @param {string} state
 * @param {string} [text] other words for it
 */
export function badge(state, text = state) {
  return h("span", { class: `state ${state}` }, picture(state), h("span", {}, text));
}

/**
 * Return the pipeline of a table's stages.
 * @param {import("./status.js").Stage[]} stages
 * @param {string} table its name
 * @param {{large?: boolean}} [options] large: with the words and durations below
 */
export function pipeline(stages, table, { large = false } = {}) {
  return h(
    "ol",
    { class: large ? "pipeline large" : "pipeline", "aria-label": `Stages of ${table}` },
    stages.map((stage) => {
      const words = WORDS[stage.state] ?? stage.state;
      return h(
        "li",
        { class: `stage is-${stage.state}`, title: `${stage.stage}: ${words}` },
        picture(stage.state),
        h("span", { class: "name" }, stage.stage),
        h("span", { class: large ? "words" : "unseen" }, large ? words : `: ${words}`),
        large && stage.seconds !== undefined ? h("span", { class: "took" }, duration(stage.seconds)) : null,
      );
    }),
  );
}
