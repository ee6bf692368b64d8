/* What every page has: copy buttons, times as people say them, tables that can be scrolled by keyboard. */

(() => {
  "use strict";

  const UNITS = [
    ["year", 31536000],
    ["month", 2592000],
    ["week", 604800],
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
  ];
  const inWords = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

  const relative = (moment) => {
    const seconds = (moment - Date.now()) / 1000;
    for (const [unit, size] of UNITS) {
      if (Math.abs(seconds) >= size) {
        return inWords.format(Math.trunc(seconds / size), unit);
      }
    }
    return Math.abs(seconds) < 45 ? "just now" : inWords.format(Math.trunc(seconds), "second");
  };

  /* The absolute moment, in UTC, stays in the title; data-absolute keeps it as the text. */
  const tellTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]:not([data-absolute])")) {
      const moment = Date.parse(time.dateTime);
      if (Number.isNaN(moment)) {
        continue;
      }
      if (!time.title) {
        time.title = `${new Date(moment).toISOString().replace("T", " ").slice(0, 19)} UTC`;
      }
      time.textContent = relative(moment);
    }
  };

  /* What the theme writes as a moment, in lists and beside fields, is a moment too. */
  const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
  const markTimes = (root) => {
    for (const cell of root.querySelectorAll("#result_list td, #result_list th, main .readonly")) {
      const text = cell.textContent.trim();
      if (!MOMENT.test(text)) {
        continue;
      }
      let place = cell;
      while (place.childElementCount === 1) {
        place = place.firstElementChild;
      }
      const time = document.createElement("time");
      time.dateTime = text;
      place.replaceChildren(time);
      if (cell.matches(".readonly")) {
        time.before(`${text.replace("T", " ").replace("Z", " UTC")}, `);
      }
    }
  };

  const announce = (sentence) => {
    let region = document.getElementById("console-announcements");
    if (!region) {
      region = document.createElement("div");
      region.id = "console-announcements";
      region.className = "console-hidden";
      region.setAttribute("role", "status");
      document.body.append(region);
    }
    region.textContent = "";
    setTimeout(() => (region.textContent = sentence), 50);
  };

  /* Outside https and localhost there is no clipboard but the old one. */
  const copyText = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text);
    }
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "console-hidden";
    (document.querySelector("dialog[open]") || document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) {
      throw new Error("not copied");
    }
  };

  const nameCopyButtons = (root) => {
    for (const button of root.querySelectorAll("button[data-copy]")) {
      if (!button.textContent.trim()) {
        button.textContent = "Copy";
      }
      if (!button.hasAttribute("aria-label") && button.textContent.trim() === "Copy") {
        const short = button.dataset.copy.length > 60 ? "this" : button.dataset.copy;
        button.setAttribute("aria-label", `Copy ${short}`);
      }
    }
  };

  const copy = async (button) => {
    const before = button.dataset.before ?? button.textContent;
    button.dataset.before = before;
    try {
      await copyText(button.dataset.copy);
      button.textContent = "Copied";
      button.classList.add("console-copied");
      announce("Copied.");
    } catch {
      button.textContent = "Not copied";
      announce("The browser did not let it be copied.");
    }
    setTimeout(() => {
      button.textContent = before;
      button.classList.remove("console-copied");
    }, 1600);
  };

  /* What scrolls sideways must be reachable without a mouse. */
  const letTablesScroll = (root) => {
    for (const table of root.querySelectorAll("table.console-table")) {
      let box = table.closest(".console-scroll");
      if (!box) {
        box = document.createElement("div");
        box.className = "console-scroll";
        table.replaceWith(box);
        box.append(table);
      }
    }
    for (const box of root.querySelectorAll(".console-scroll, .console-text, #changelist-form .overflow-x-auto")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (scrolls && !box.hasAttribute("tabindex")) {
        box.tabIndex = 0;
      } else if (!scrolls && box.getAttribute("tabindex") === "0") {
        box.removeAttribute("tabindex");
      }
    }
  };

  const WRITTEN_IN = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  const isWriting = (target) => Boolean(target.closest?.(WRITTEN_IN));

  /* Whether a key is pressed for the page, and not for a field, a dialog, or the browser. */
  const isForThePage = (event) =>
    !(event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) &&
    !isWriting(event.target) &&
    !document.querySelector("dialog[open]");

  const refresh = (root) => {
    nameCopyButtons(root);
    markTimes(root);
    tellTimes(root);
    letTablesScroll(root);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (button) {
      copy(button);
    }
  });
  document.addEventListener("DOMContentLoaded", () => {
    refresh(document);
    setInterval(() => tellTimes(document), 30000);
  });
  window.addEventListener("resize", () => letTablesScroll(document));
  document.addEventListener("htmx:afterSwap", () => refresh(document));
  window.agentpostConsole = { refresh, announce, isForThePage };
})();
