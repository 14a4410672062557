// @ts-check
/** Dialogs: the focus stays inside, Escape closes them, and then the focus returns to where it was. */

import { h } from "./dom.js";

/**
 * Ask for a function key.
 * @param {boolean} wasRefused whether the app rejected the previous one
 * @returns {Promise<string | null>} null if the user entered none
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
    wasRefused ? h("p", { class: "bad", role: "alert" }, "The app rejected that key.") : null,
    h(
      "p",
      { id: "key-help" },
      "The app requires a function key. ",
      h("code", {}, "az functionapp keys list"),
      " lists them. The key is kept until this tab is closed and sent to this app only.",
    ),
    h("label", { for: "key" }, "Key"),
    field,
  ]);
  const key = field.value.trim();
  return answer && key ? key : null;
}

/**
 * Ask for confirmation.
 * @param {string} title a question
 * @param {string} consequence the effect of the action
 * @param {string} yes the text of the button that confirms
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
