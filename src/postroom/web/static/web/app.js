// Small behaviours of the pages, all by attribute: data-toggles, data-opens, data-closes, data-copies, data-width,
// data-previews, data-guards, data-ticks, data-arrows, data-tells.
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
      const source = document.getElementById(button.dataset.copies);
      if (navigator.clipboard) {
        navigator.clipboard.writeText(source.textContent.trim()).then(done);
      } else { // over plain HTTP browsers keep the clipboard to themselves, but for what is selected
        getSelection().selectAllChildren(source);
        if (document.execCommand("copy")) done();
      }
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

  // Of links that lead into one frame, the one that was followed last is marked.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target]");
    for (const other of link?.parentElement.querySelectorAll(`a[target="${link.target}"]`) ?? []) {
      other.toggleAttribute("aria-current", other === link);
    }
  });

  // A part that came anew tells those who listen to the form around it.
  document.addEventListener("htmx:after:settle", (event) => {
    const word = event.target.dataset?.tells;
    if (word) event.target.dispatchEvent(new Event(word, { bubbles: true }));
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

  // A table to tick people in: data-ticks on its form, data-ticks-all on the box that ticks the page, data-ticked on the
  // button whose words count them.
  const recount = (form) => {
    const boxes = [...form.querySelectorAll("input[name=uid]")];
    const ticked = boxes.filter((box) => box.checked).length;
    const all = form.querySelector("[data-ticks-all]");
    const button = form.querySelector("[data-ticked]");
    if (!all || !button) return;
    all.hidden = false;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    button.disabled = ticked === 0;
    button.textContent = button.dataset.ticked.replace("#", ticked);
  };
  const recountAll = () => document.querySelectorAll("form[data-ticks]").forEach(recount);
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-ticks]");
    if (!form) return;
    if (event.target.matches("[data-ticks-all]")) {
      for (const box of form.querySelectorAll("input[name=uid]")) box.checked = event.target.checked;
    }
    recount(form);
  });
  document.addEventListener("DOMContentLoaded", recountAll);
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("#menu [aria-current=page]")?.scrollIntoView({ block: "center" });
  });
  window.addEventListener("pageshow", recountAll);
  document.addEventListener("htmx:after:swap", recountAll);

  // From a search box (data-arrows names where its results stand) down into them and back up, by the arrow keys.
  document.addEventListener("keydown", (event) => {
    const box = document.querySelector("[data-arrows]");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!box || !step) return;
    const stops = [box, ...document.querySelectorAll(`${box.dataset.arrows} tbody a`)];
    const at = stops.indexOf(document.activeElement);
    if (at < 0 || !stops[at + step]) return;
    event.preventDefault();
    stops[at + step].focus();
  });

  // What was written and not saved is not left behind by accident.
  let isUnsaved = false;
  document.addEventListener("input", (event) => {
    isUnsaved ||= Boolean(event.target.closest("form[data-guards]")) && !event.target.closest("[data-stage]");
  });
  document.addEventListener("submit", (event) => { if (!event.submitter?.formTarget) isUnsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-previews]").forEach(refresh));
})();
