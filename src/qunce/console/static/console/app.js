// Keyboard, dialogs, toasts, relative focus. One file; htmx event names are used here and nowhere else.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const texts = JSON.parse($("#texts")?.textContent || "{}");

  function toast(text, kind = "error") {
    const box = $("#toasts");
    if (!box) return;
    const note = document.createElement("div");
    note.className = `toast-note ${kind}`;
    note.textContent = text;
    box.append(note);
    setTimeout(() => note.remove(), 8000);
  }

  // Notes of the server go away by themselves unless they tell of an error.
  $$("#toasts .toast-note:not(.error)").forEach((note) => setTimeout(() => note.remove(), 6000));

  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    toast(texts[`http_${status}`] || texts.http_error.replace("%s", status));
  });
  document.addEventListener("htmx:sendError", () => toast(texts.offline));
  document.addEventListener("htmx:timeout", () => toast(texts.offline));
  // A session that ended answers with a redirect to the sign-in page; show that page whole.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.responseURL.includes("/login")) {
      event.preventDefault();
      location.reload();
    }
  });

  // ── Dialogs, copy to clipboard, confirmation, submit on change ─────────────────────────────────────────────────────
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      $$("[popover]:popover-open").forEach((menu) => menu.hidePopover());
      document.getElementById(opener.dataset.dialog)?.showModal();
    }
    // One menu serves many rows: its links are told which row it was opened for.
    const chooser = event.target.closest("[data-menu]");
    const choices = chooser && document.getElementById(chooser.dataset.menu);
    if (choices) {
      event.preventDefault();
      $$("a[data-href]", choices).forEach((link) => (link.href = link.dataset.href.replace("/0/", `/${chooser.dataset.value}/`)));
      choices.showPopover();
      const at = chooser.getBoundingClientRect();
      const top = Math.min(at.bottom + 4, innerHeight - choices.offsetHeight - 8);
      const left = Math.min(at.left, innerWidth - choices.offsetWidth - 8);
      Object.assign(choices.style, { top: `${Math.max(8, top)}px`, left: `${Math.max(8, left)}px`, right: "auto", bottom: "auto" });
      $("a", choices)?.focus();
    }
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog")?.close();
    if (event.target.matches("dialog")) event.target.close();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  // Where one line is said after the other, Enter says it; input methods use Enter for themselves first.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !event.target.matches("[data-enter]")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });
  const toEnd = () => $$("[data-to-end]").forEach((box) => (box.scrollTop = box.scrollHeight));
  toEnd();
  document.addEventListener("htmx:afterSwap", toEnd);
  document.addEventListener("submit", (event) => {
    // Empty fields make long addresses; leave them out of GET forms.
    if (event.target.method === "get") {
      $$("input,select", event.target).forEach((field) => {
        if (!field.value) field.disabled = true;
      });
      setTimeout(() => $$(":disabled", event.target).forEach((field) => (field.disabled = false)), 0);
    }
  });

  // ── Keyboard ───────────────────────────────────────────────────────────────────────────────────────────────────────
  let pending = 0;
  const typing = (target) => target.closest("input,textarea,select,[contenteditable]") || target.closest("dialog[open]");
  function step(by) {
    const rows = $$("[data-row]").filter((row) => row.offsetParent !== null);
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
    (row.matches("a,button") ? row : $("a,button", row))?.focus();
    row.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const going = Date.now() - pending < 1500;
    pending = 0;
    if (going) {
      const link = $(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
      }
    } else if (event.key === "g") pending = Date.now();
    else if (event.key === "/") {
      const field = $("#page-search") || $("#global-search");
      if (field && field.offsetParent !== null) {
        event.preventDefault();
        field.focus();
        field.select();
      }
    } else if (event.key === "?") $("#help")?.showModal();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else {
      // A key of its own for what is done all day: in the chosen row first, then of the page.
      const named = `[data-key="${CSS.escape(event.key)}"]`;
      const row = document.activeElement?.closest("[data-row]");
      const button = (row && $(named, row)) || $$(named).find((other) => !other.closest("[data-row]"));
      if (button) {
        event.preventDefault();
        button.click();
      }
    }
  });

  // ── Uploads: drop files, name them, show how far the sending is ──────────────────────────────────────────────────────
  function listFiles(zone) {
    const input = $("input[type=file]", zone);
    const list = $("[data-files]", zone);
    list.replaceChildren(
      ...[...input.files].map((file) => {
        const item = document.createElement("li");
        item.textContent = `${file.name} · ${(file.size / 1e6).toFixed(file.size < 1e6 ? 2 : 1)} MB`;
        return item;
      }),
    );
    zone.classList.toggle("filled", input.files.length > 0);
  }
  $$("[data-drop]").forEach((zone) => {
    const input = $("input[type=file]", zone);
    input.addEventListener("change", () => listFiles(zone));
    ["dragenter", "dragover"].forEach((name) =>
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.add("over");
      }),
    );
    ["dragleave", "drop"].forEach((name) => zone.addEventListener(name, () => zone.classList.remove("over")));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        listFiles(zone);
      }
    });
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = $("progress[data-sending]", event.target);
    if (bar && event.detail.lengthComputable) {
      bar.hidden = false;
      bar.max = event.detail.total;
      bar.value = event.detail.loaded;
    }
  });

  // ── Forms of playbooks: rows come and go without losing the place, lines are counted, Ctrl+S saves ──────────────────
  document.addEventListener("click", (event) => {
    const turn = event.target.closest("[data-turn]");
    if (!turn || !window.htmx) return;
    event.preventDefault();
    htmx.ajax("POST", turn.form.action, {
      source: turn.form, target: "#sheet", select: "#sheet", swap: "outerHTML show:none", values: { [turn.name]: turn.value },
    });
  });
  document.addEventListener("input", (event) => {
    const box = document.getElementById(event.target.dataset?.lines || "");
    if (!box) return;
    const lines = event.target.value.split("\n").map((line) => line.replace(/\s*\|\s*\d+\s*$/, "").trim()).filter(Boolean);
    const seen = new Set();
    const twice = [...new Set(lines.filter((line) => seen.has(line) || !seen.add(line)))];
    box.textContent = box.dataset.one.replace("%s", lines.length);
    if (twice.length) {
      const note = document.createElement("span");
      note.className = "warn";
      note.textContent = ` ${box.dataset.twice.replace("%s", twice.slice(0, 8).join("、"))}`;
      box.append(note);
    }
  });
  document.addEventListener("keydown", (event) => {
    const save = (event.ctrlKey || event.metaKey) && event.key === "s" && $("[data-save]");
    if (!save) return;
    event.preventDefault();
    save.click();
  });

  // ── Transcript: start at the newest line, or at the one asked for ────────────────────────────────────────────────────
  function place() {
    const target = $("[data-target]");
    if (target) target.scrollIntoView({ block: "center" });
    else $("[data-end]")?.scrollIntoView({ block: "end" });
  }
  place();
  // Strips of days end today: show that end.
  $$("[data-latest]").forEach((strip) => (strip.scrollLeft = strip.scrollWidth));
  // Older lines are put in above: keep what is being read where it is, whether or not the browser anchors by itself.
  let anchor = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.target.matches?.("[data-older]")) return;
    const line = event.detail.target.nextElementSibling;
    anchor = line && { line, top: line.getBoundingClientRect().top };
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (anchor) scrollBy(0, anchor.line.getBoundingClientRect().top - anchor.top);
    anchor = null;
  });
  // A menu of several choices stays open while its form is swapped after each of them.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    opened = $$("details[data-menu][open]").filter((menu) => event.detail.target.contains(menu)).map((menu) => menu.id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    opened = [];
  });
  document.addEventListener("click", (event) => {
    $$("details[data-menu][open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
  });
})();
