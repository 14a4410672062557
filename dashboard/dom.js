// @ts-check
/**
 * Building elements, and changing a page to what it should be without replacing what stays: focus, scrolling, opened
 * details and typed text survive. Everything that is not an element becomes text, so markup in data is harmless.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Child | Child[] | (Child | Child[])[]} Children */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an HTML element.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] null, undefined and false leave one out
 * @param {...Children} children
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * Return an SVG element.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...Children} children
 */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * Make a node's children like those wanted, keeping every node that can stay.
 * @param {Element} parent
 * @param {Children} children
 */
export function update(parent, children) {
  const focused = document.activeElement;
  match(parent, nodes(children));
  if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused) {
    focused.focus({ preventScroll: true });
  }
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, string | number | boolean | null | undefined>} attributes
 * @param {Children[]} children
 * @returns {E}
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...nodes(/** @type {Children} */ (children)));
  return element;
}

/**
 * @param {Children} children
 * @returns {Node[]}
 */
function nodes(children) {
  const list = /** @type {Child[]} */ ([children].flat(Infinity));
  return list
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/**
 * @param {Element} parent
 * @param {Node[]} wanted
 */
function match(parent, wanted) {
  const keep = new Set(wanted.map(keyOf));
  const keyed = new Map();
  for (const node of [...parent.childNodes]) {
    const key = keyOf(node);
    if (key !== null && !keep.has(key)) node.remove();
    else if (key !== null) keyed.set(key, node);
  }
  wanted.forEach((node, place) => {
    const present = parent.childNodes[place] ?? null;
    const key = keyOf(node);
    const old = key === null ? present : keyed.get(key);
    if (old && alike(old, node)) {
      if (old !== present) parent.insertBefore(old, present);
      renew(old, node);
    } else if (present && keyOf(present) === null) {
      present.replaceWith(node);
    } else {
      parent.insertBefore(node, present);
    }
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof Element ? node.getAttribute("data-key") : null;
}

/**
 * @param {Node} old
 * @param {Node} wanted
 */
function alike(old, wanted) {
  return old.nodeName === wanted.nodeName && keyOf(old) === keyOf(wanted);
}

/**
 * @param {Node} old
 * @param {Node} wanted
 */
function renew(old, wanted) {
  // Most of a page does not change, and the browser compares fastest.
  if (old.isEqualNode(wanted)) return;
  if (old instanceof Element && wanted instanceof Element) {
    renewAttributes(old, wanted);
    match(old, [...wanted.childNodes]);
  } else {
    old.nodeValue = wanted.nodeValue;
  }
}

/**
 * @param {Element} old
 * @param {Element} wanted
 */
function renewAttributes(old, wanted) {
  for (const name of old.getAttributeNames()) {
    // The user opens and closes details.
    if (!wanted.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const name of wanted.getAttributeNames()) {
    const value = wanted.getAttribute(name) ?? "";
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
