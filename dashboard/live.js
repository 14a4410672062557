// @ts-check
/** Reading again and again: often while something runs and is looked at, seldom otherwise. */

const SHORTEST_SECONDS = 3;
const LONGEST_SECONDS = 60;
const LONGEST_HIDDEN_SECONDS = 600;
const FACTOR = 1.6;
// A host that takes its time is asked less often.
const SHARE_OF_READING = 0.1;

/**
 * @typedef {object} Live
 * @property {() => Promise<void>} now reads at once, and begins again with the shortest interval
 */

/**
 * Call a function again and again.
 * @param {() => Promise<boolean>} readAgain tells whether something runs; it does not throw
 * @returns {Live}
 */
export function keepReading(readAgain) {
  let seconds = SHORTEST_SECONDS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let turn = 0;

  async function look() {
    clearTimeout(timer);
    const mine = ++turn;
    const begun = performance.now();
    const runs = await readAgain();
    if (mine !== turn) return;
    const took = (performance.now() - begun) / 1000;
    seconds = runs && !document.hidden ? SHORTEST_SECONDS : Math.min(seconds * FACTOR, longest());
    timer = setTimeout(look, Math.max(seconds, took / SHARE_OF_READING) * 1000);
  }

  function now() {
    seconds = SHORTEST_SECONDS;
    return look();
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) now();
  });
  return { now };
}

function longest() {
  return document.hidden ? LONGEST_HIDDEN_SECONDS : LONGEST_SECONDS;
}
