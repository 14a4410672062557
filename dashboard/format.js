// @ts-check
/** Numbers, durations and times as text, in the formats of the report (d2c/report/formats.py). */

export const UNKNOWN = "–";
const NUMBERS = new Intl.NumberFormat("en-US");
const SIZES = ["bytes", "KB", "MB", "GB", "TB", "PB"];

/** @param {unknown} value */
export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * Return a number with separated thousands.
 * @param {number | null | undefined} value
 */
export function number(value) {
  return isNumber(value) ? NUMBERS.format(/** @type {number} */ (value)) : UNKNOWN;
}

/**
 * Return a whole percentage, 100 only when complete.
 * @param {number | null | undefined} value
 */
export function percent(value) {
  if (!isNumber(value)) return UNKNOWN;
  const known = /** @type {number} */ (value);
  return `${known >= 100 ? 100 : Math.min(99, Math.floor(known))} %`;
}

/**
 * Return a size in the largest unit that leaves at least one; a KB has 1,024 bytes.
 * @param {number | null | undefined} sizeBytes
 */
export function size(sizeBytes) {
  if (!isNumber(sizeBytes)) return UNKNOWN;
  let value = /** @type {number} */ (sizeBytes);
  let unit = 0;
  for (; value >= 1024 && unit < SIZES.length - 1; unit += 1) value /= 1024;
  return unit === 0 ? `${number(value)} bytes` : `${value.toFixed(1)} ${SIZES[unit]}`;
}

/**
 * Return a duration in at most two units.
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (!isNumber(seconds)) return UNKNOWN;
  const known = Math.max(0, /** @type {number} */ (seconds));
  if (known < 60) return `${Number.isInteger(known) ? known : known.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(known) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(known) % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`;
}

/**
 * Return a duration without seconds.
 * @param {number} seconds
 */
export function roughly(seconds) {
  if (seconds < 60) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : duration(minutes * 60);
}

/**
 * Return the time of day in UTC, with the date unless it is today.
 * @param {number} time epoch milliseconds
 * @param {{now?: number, withSeconds?: boolean}} [options]
 */
export function clock(time, { now = Date.now(), withSeconds = false } = {}) {
  const text = new Date(time).toISOString();
  const isSameDay = text.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return `${isSameDay ? "" : `${text.slice(0, 10)} `}${text.slice(11, withSeconds ? 19 : 16)} UTC`;
}

/**
 * Return epoch milliseconds of a time in ISO 8601, or null if it is none.
 * @param {string | null | undefined} iso
 */
export function timeOf(iso) {
  const time = iso ? Date.parse(iso) : NaN;
  return Number.isNaN(time) ? null : time;
}

/**
 * Return the seconds from one time to another, or until now.
 * @param {string | null | undefined} from
 * @param {string | null | undefined} [until]
 */
export function secondsBetween(from, until) {
  const start = timeOf(from);
  const end = until ? timeOf(until) : Date.now();
  return start === null || end === null ? null : Math.round((end - start) / 1000);
}

/**
 * Return the duration of something, so far if it has not finished.
 * @param {string | null | undefined} started
 * @param {string | null | undefined} finished
 */
export function took(started, finished) {
  const seconds = secondsBetween(started, finished);
  return seconds === null || finished ? duration(seconds) : `${roughly(seconds)} so far`;
}

/**
 * Return an expected time, and how far ahead it is.
 * @param {string | null | undefined} iso
 */
export function expected(iso) {
  const time = timeOf(iso);
  if (time === null) return null;
  const seconds = Math.round((time - Date.now()) / 1000);
  return seconds <= 0 ? "any moment" : `about ${clock(time)}, in ${roughly(seconds)}`;
}
