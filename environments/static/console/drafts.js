/* Drafts by keyboard. A decision takes its key twice, or Enter on its button; nothing happens while one types. */

(() => {
  "use strict";

  const PATIENCE = 4000;
  let armed = null;
  let timer = 0;

  const announce = (sentence) => {
    const region = document.querySelector(".drafts-announcement");
    if (region) {
      region.textContent = sentence;
    }
  };

  const disarm = () => {
    clearTimeout(timer);
    armed?.classList.remove("drafts-armed");
    armed = null;
    announce("");
  };

  const arm = (button) => {
    disarm();
    armed = button;
    button.classList.add("drafts-armed");
    button.focus();
    announce(button.dataset.armed);
    timer = setTimeout(disarm, PATIENCE);
    button.addEventListener("blur", disarm, { once: true });
  };

  const unfold = (summary) => {
    const details = summary.parentElement;
    details.open = !details.open;
    const field = details.open && details.querySelector("textarea");
    (field || summary).focus();
    details.scrollIntoView({ block: "nearest" });
  };

  const press = (target) => {
    if (target.matches("summary")) {
      unfold(target);
    } else if (!target.dataset.armed) {
      target.click();
    } else if (armed === target) {
      target.click();
    } else {
      arm(target);
    }
  };

  const followKey = (event) => {
    if (event.repeat || event.isComposing || !window.agentpostConsole.isForThePage(event)) {
      return;
    }
    const target = document.querySelector(`[data-drafts] [data-shortcut="${CSS.escape(event.key)}"]`);
    if (target) {
      event.preventDefault();
      press(target);
    } else if (event.key === "Escape") {
      disarm();
    }
  };

  /* In the reason: Ctrl and Enter send it, Escape leaves it. */
  const followReason = (event) => {
    if (!(event.target instanceof Element) || !event.target.matches(".drafts-reason textarea")) {
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.target.form.requestSubmit();
    } else if (event.key === "Escape") {
      event.target.closest("details").open = false;
      event.target.closest("details").querySelector("summary").focus();
    }
  };

  const setBusy = (form, isBusy) => {
    for (const button of form.closest("[data-drafts]").querySelectorAll('button[type="submit"]')) {
      button.disabled = isBusy;
    }
  };

  document.addEventListener("keydown", followKey);
  document.addEventListener("keydown", followReason);
  document.addEventListener("submit", (event) => {
    if (event.target.closest("[data-drafts]")) {
      setTimeout(() => setBusy(event.target, true)); // once the browser has read the form
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      document.querySelectorAll("[data-drafts] form").forEach((form) => setBusy(form, false));
    }
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector(".drafts-list [aria-current]")?.scrollIntoView({ block: "nearest" });
    if (window.location.hash === "#drafts-changes") {
      const changes = document.getElementById("drafts-changes");
      if (changes) {
        changes.open = true;
      }
    }
  });
})();
