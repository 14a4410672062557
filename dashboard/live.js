// @ts-check
/** Polling: often while a migration runs and the page is visible, less often otherwise. */

const SHORTEST_SECONDS = 3;
const LONGEST_SECONDS = 60;
const LONGEST_HIDDEN_SECONDS = 600;
const FACTOR = 1.6;
// A slow app is polled less often.
const WAIT_OF_READING = 10;
const LONGEST_WAIT_OF_READING_SECONDS = 15;

/**
 * @typedef {object} Live
 * @property {() => Promise<void>} now reads immediately, then polls at the shortest interval
 */

/**
 * Call a function periodically.
 * @param {() => Promise<boolean | null>} readAgain returns whether something runs, or null to stop
 *   polling until `now` is called; it does not throw
 * @returns {Live}
 */
export function keepReading(readAgain) {
  let seconds = SHORTEST_SECONDS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let turn = 0;
  let hasStopped = false;

  async function look() {
    clearTimeout(timer);
    const mine = ++turn;
    const begun = performance.now();
    const runs = await readAgain();
    if (mine !== turn) return;
    hasStopped = runs === null;
    if (hasStopped) return;
    const took = (performance.now() - begun) / 1000;
    seconds = runs && !document.hidden ? SHORTEST_SECONDS : Math.min(seconds * FACTOR, longest());
    const rest = Math.min(took * WAIT_OF_READING, LONGEST_WAIT_OF_READING_SECONDS);
    timer = setTimeout(look, Math.max(seconds, rest) * 1000);
  }

  function now() {
    seconds = SHORTEST_SECONDS;
    return look();
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !hasStopped) now();
  });
  return { now };
}

function longest() {
  return document.hidden ? LONGEST_HIDDEN_SECONDS : LONGEST_SECONDS;
}
