// Runs before the page is drawn: "auto" follows the system. Everything else waits in app.js.
(() => {
  "use strict";
  const root = document.documentElement;
  if (root.dataset.theme !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.bsTheme = dark.matches ? "dark" : "light";
    document.dispatchEvent(new Event("qunce:theme"));
  };
  apply();
  dark.addEventListener("change", apply);
})();
