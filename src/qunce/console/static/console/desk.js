// The response desk: countdowns, where the conversation stands, and the side card on narrow screens.
(() => {
  "use strict";
  const SOON_S = 30;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The server's clock decides; a browser whose clock is wrong must not call anybody late.
  const skew = Number(document.body.dataset.now || Date.now()) - Date.now();
  const span = (seconds) => {
    const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
    const shown = parts[0] ? parts : parts.slice(1);
    return shown.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
  };
  function tick() {
    const now = Date.now() + skew;
    $$("[data-due]").forEach((element) => {
      const left = Number(element.dataset.due) - now;
      const text = (left < 0 ? element.dataset.over : element.dataset.left).replace("%s", span(Math.floor(Math.abs(left) / 1000)));
      if (element.textContent !== text) element.textContent = text;
      element.classList.toggle("late", left < 0);
      element.classList.toggle("soon", left >= 0 && left < SOON_S * 1000);
    });
  }
  setInterval(tick, 1000);
  tick();

  // The conversation begins at the question, and follows the end while its reader is there.
  let end = false;
  function settle() {
    const box = $("[data-scroll]");
    if (!box) return;
    const asked = $("[data-asked]", box);
    box.scrollTop = box.scrollHeight;
    if (asked && asked.offsetTop - box.offsetTop < box.scrollTop) box.scrollTop = asked.offsetTop - box.offsetTop - 90;
  }
  let kept = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "desk-talk") return;
    const box = $("[data-scroll]");
    end = box && box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    kept = box?.scrollTop ?? null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    tick();
    const box = $("[data-scroll]");
    if (event.detail.target?.id !== "desk-talk" && event.target?.id !== "desk-talk") return;
    if (box && kept !== null) box.scrollTop = end ? box.scrollHeight : kept;
  });
  settle();

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toggle-side]")) document.body.classList.toggle("side-open");
    else if (!event.target.closest(".desk-side")) document.body.classList.remove("side-open");
  });
  // Writing: r begins, Enter sends (not while an input method composes), Escape goes back to the list.
  const field = () => $("#reply");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.body.classList.remove("side-open");
      if (event.target === field()) $(".desk-row.chosen")?.focus();
      return;
    }
    if (event.target === field()) {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
        event.preventDefault();
        field().form.requestSubmit();
      }
      return;
    }
    const typing = event.target.closest("input,textarea,select,[contenteditable],dialog[open]");
    if (event.key !== "r" || typing || event.ctrlKey || event.metaKey || event.altKey || !field()) return;
    event.preventDefault();
    field().focus();
  });
  // A canned response goes into the field, to be read and changed before it is sent.
  function insert(button) {
    const box = field();
    if (!box) return;
    const kept = box.value.trim();
    box.value = kept ? `${kept}\n${button.dataset.insert}` : button.dataset.insert;
    box.form.elements.response.value = button.dataset.response;
    document.body.classList.remove("side-open");
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (button) insert(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "page-search" || event.isComposing) return;
    if (event.key === "Enter") {
      const first = $("#found [data-insert]");
      if (first) insert(first);
      event.preventDefault();
    } else if (event.key === "ArrowDown") {
      $("#found [data-insert]")?.focus();
      event.preventDefault();
    } else if (event.key === "Escape") field()?.focus();
  });
  // A second press must not wait for the first answer's page.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-composer]")) return;
    $("button", event.target).disabled = true;
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-check]")) $$("[data-fresh]").forEach((box) => (box.checked = true));
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      // Without https there is no clipboard: choose the words, so that the keyboard can copy them.
      getSelection().selectAllChildren($(".words", button.closest(".msg")) || button);
      return;
    }
    const name = $("span", button);
    const before = name.textContent;
    name.textContent = button.dataset.copied;
    setTimeout(() => (name.textContent = before), 2000);
  });
})();
