// @ts-check
/** Charts of steps over time. Shapes stretch to the available width; texts keep their size. */

import { h, svg } from "./dom.js";
import { clock, number } from "./format.js";
import { STAGES } from "./status.js";

/** @typedef {{from: number, until: number, value: number}} Step epoch milliseconds, and the value between them */
/** @typedef {{stage: string, from: number, until: number}} Band */

const WIDTH = 1000;
const HEIGHT = 100;
const MOST_MS_WITH_SECONDS = 15 * 60_000;

/**
 * Return a chart of steps, with the stages of their time below it.
 * @param {Step[]} steps in the order of time
 * @param {string} unit of the values
 * @param {string} label for screen readers
 * @param {Band[]} [bands]
 */
export function chart(steps, unit, label, bands = []) {
  const from = Math.min(...steps.map((step) => step.from), ...bands.map((band) => band.from));
  const until = Math.max(...steps.map((step) => step.until), ...bands.map((band) => band.until));
  const most = roundUp(Math.max(1, ...steps.map((step) => step.value)));
  const x = (/** @type {number} */ time) => round(((time - from) / Math.max(1, until - from)) * WIDTH);
  const y = (/** @type {number} */ value) => round(HEIGHT - (value / most) * HEIGHT);
  const line = steps.map((step) => `${x(step.from)},${y(step.value)} ${x(step.until)},${y(step.value)}`).join(" ");
  return h(
    "figure",
    { class: "chart" },
    h(
      "div",
      { class: "scale", "aria-hidden": "true" },
      h("span", {}, `${number(most)} ${unit}`),
      h("span", {}, number(most / 2)),
      h("span", {}, "0"),
    ),
    svg(
      "svg",
      {
        class: "plot",
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": label,
      },
      [0, 0.5, 1].map((part) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part })),
      svg("polygon", {
        class: "area",
        points: `${x(steps[0].from)},${HEIGHT} ${line} ${x(steps[steps.length - 1].until)},${HEIGHT}`,
      }),
      svg("polyline", { class: "line", points: line }),
    ),
    bands.length
      ? svg(
          "svg",
          { class: "bands", viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: "none", "aria-hidden": "true" },
          bands.map((band) =>
            svg("rect", {
              class: stageClass(band.stage),
              x: x(band.from),
              width: Math.max(1, round(x(band.until) - x(band.from))),
              height: 10,
            }),
          ),
        )
      : null,
    h("div", { class: "times", "aria-hidden": "true" }, times(from, until)),
  );
}

/**
 * @param {number} from
 * @param {number} until
 */
function times(from, until) {
  const withSeconds = until - from < MOST_MS_WITH_SECONDS;
  return [h("span", {}, clock(from, { withSeconds })), h("span", {}, clock(until, { now: from, withSeconds }))];
}

/**
 * Return the class with a stage's colour, the same as in the report.
 * @param {string} stage
 */
export function stageClass(stage) {
  return STAGES.includes(stage) ? `colour-${stage}` : null;
}

/**
 * Return a stage's colour as a small square.
 * @param {string} stage
 */
export function swatch(stage) {
  return svg(
    "svg",
    { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" },
    svg("rect", { class: stageClass(stage), width: 10, height: 10, rx: 3 }),
  );
}

/**
 * Return the next round number: 1, 2 or 5 with zeros.
 * @param {number} value
 */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
