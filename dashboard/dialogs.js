// @ts-check
/** Dialogs: they keep the keyboard's focus inside, Escape closes them, and focus goes back to where it was. */

import { h } from "./dom.js";

/**
 * Ask for a function key.
 * @param {boolean} wasRefused whether there was one that the app did not take
 * @returns {Promise<string | null>} null if the reader gave none
 */
export async function askForKey(wasRefused) {
  const field = /** @type {HTMLInputElement} */ (
    h("input", {
      id: "key",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      required: true,
      autofocus: true,
      "aria-describedby": "key-help",
    })
  );
  const answer = await ask("Function key", "Continue", [
    wasRefused ? h("p", { class: "bad", role: "alert" }, "The app did not take that key.") : null,
    h(
      "p",
      { id: "key-help" },
      "The app answers only those who send a function key. ",
      h("code", {}, "az functionapp keys list"),
      " shows them. It is kept until this tab is closed and sent to this app only.",
    ),
    h("label", { for: "key" }, "Key"),
    field,
  ]);
  const key = field.value.trim();
  return answer && key ? key : null;
}

/**
 * Ask whether to go on.
 * @param {string} title a question
 * @param {string} consequence what happens then
 * @param {string} yes what the button says that goes on
 */
export function confirm(title, consequence, yes) {
  return ask(title, yes, [h("p", {}, consequence)], "Keep it running");
}

/** @param {Node | null} node */
function isFocused(node) {
  return node instanceof HTMLElement && node.autofocus;
}

/**
 * @param {string} title
 * @param {string} yes
 * @param {(Node | null)[]} content
 * @param {string} [no]
 * @returns {Promise<boolean>}
 */
function ask(title, yes, content, no = "Not now") {
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { "aria-labelledby": "dialog-title" },
      h(
        "form",
        {},
        h("h2", { id: "dialog-title" }, title),
        content,
        h(
          "div",
          { class: "buttons" },
          h("button", { type: "submit", class: "primary" }, yes),
          h("button", { type: "button", autofocus: !content.some(isFocused) }, no),
        ),
      ),
    )
  );
  const back = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close("yes");
    });
    dialog.querySelector("button[type=button]")?.addEventListener("click", () => dialog.close(""));
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (back instanceof HTMLElement && back.isConnected) back.focus();
      answer(dialog.returnValue === "yes");
    });
  });
}
