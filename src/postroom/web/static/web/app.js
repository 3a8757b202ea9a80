// Small behaviours of the pages, all by attribute: data-toggles, data-opens, data-closes, data-copies, data-removes,
// data-width, data-previews, data-guards.
(() => {
  "use strict";

  const byAttribute = {
    toggles(button) {
      const target = document.getElementById(button.dataset.toggles);
      button.setAttribute("aria-expanded", String(target.classList.toggle("show")));
    },
    opens(button) {
      document.getElementById(button.dataset.opens).showModal();
    },
    closes(button) {
      button.closest("dialog").close();
    },
    copies(button) {
      const done = () => { button.textContent = "Copied"; };
      navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.trim()).then(done);
    },
    removes(button) {
      const form = button.closest("form");
      button.closest(button.dataset.removes).remove();
      form.dispatchEvent(new Event("change", { bubbles: true }));
    },
    width(button) {
      button.closest("[data-stage]").dataset.stage = button.dataset.width;
      for (const other of button.parentElement.querySelectorAll("[data-width]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    },
  };

  document.addEventListener("click", (event) => {
    for (const [name, act] of Object.entries(byAttribute)) {
      const button = event.target.closest(`button[data-${name}]`);
      if (button) act(button);
    }
  });

  // The live preview: the form is posted into the frame. A fresh frame each time keeps the browser's history clean.
  const waits = new WeakMap();
  const refresh = (form) => {
    const old = document.getElementById(form.dataset.previews);
    const fresh = old.cloneNode();
    fresh.removeAttribute("src");
    old.replaceWith(fresh);
    form.requestSubmit(form.querySelector("button[formtarget]"));
  };
  const later = (event) => {
    const form = event.target.closest("form[data-previews]");
    if (!form || event.target.closest("[data-quiet]")) return;
    clearTimeout(waits.get(form));
    waits.set(form, setTimeout(() => refresh(form), 500));
  };
  document.addEventListener("input", later);

  // What was written and not saved is not left behind by accident.
  let isUnsaved = false;
  document.addEventListener("input", (event) => {
    isUnsaved ||= Boolean(event.target.closest("form[data-guards]")) && !event.target.closest("[data-stage]");
  });
  document.addEventListener("submit", (event) => { if (!event.submitter?.formTarget) isUnsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-previews]").forEach(refresh));
})();
