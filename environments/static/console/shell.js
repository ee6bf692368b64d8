/* The shell by keyboard: the switcher, the navigation on small windows, shortcuts and their help. */

(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);

  /* Not scrollIntoView: after it, the first Tab would start from there. */
  const showIn = (box, selector) => {
    const thing = box?.querySelector(selector);
    const below = thing ? thing.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom : 0;
    if (below > 0) {
      box.scrollTop += below + thing.offsetHeight;
    }
  };

  /* --- Switcher --- */

  const tieSwitcher = (switcher) => {
    const field = byId("switch-to");
    const none = byId("switch-none");
    const summary = switcher.querySelector("summary");
    const choices = [...switcher.querySelectorAll("button[name=environment]")].map((button) => ({
      button,
      row: button.closest("li"),
      group: button.closest(".console-switcher-group"),
      words: `${button.closest(".console-switcher-group").getAttribute("aria-label")} ${button.textContent}`.toLowerCase(),
    }));
    const shown = () => choices.filter(({ row }) => !row.hidden).map(({ button }) => button);

    const narrow = () => {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const { row, words } of choices) {
        row.hidden = !wanted.every((word) => words.includes(word));
      }
      for (const { group } of choices) {
        group.hidden = !group.querySelector("li:not([hidden])");
      }
      none.textContent = shown().length ? "" : "No environment is called that.";
    };

    const close = () => {
      switcher.open = false;
      summary.focus();
    };

    const move = (step) => {
      const stops = [field, ...shown()];
      const next = stops.indexOf(document.activeElement) + step;
      stops[Math.min(Math.max(next, 0), stops.length - 1)].focus();
    };

    switcher.querySelector(".console-switcher-find").hidden = false;
    field.addEventListener("input", narrow);
    switcher.addEventListener("toggle", () => {
      if (switcher.open) {
        field.value = "";
        narrow();
        showIn(switcher.querySelector("form"), "[aria-current]");
        field.focus();
      }
    });
    switcher.addEventListener("keydown", (event) => {
      const acts = { Escape: close, ArrowDown: () => move(1), ArrowUp: () => move(-1) };
      const act = event.key === "Enter" && event.target === field ? () => shown()[0]?.click() : acts[event.key];
      if (switcher.open && act) {
        event.preventDefault();
        event.stopPropagation();
        act();
      }
    });
  };

  const closeWhatIsLeft = (event) => {
    for (const opened of document.querySelectorAll("details.console-switcher[open], details.console-menu[open]")) {
      if (!opened.contains(event.target)) {
        opened.open = false;
      }
    }
  };

  /* --- Navigation on a small window --- */

  const tieMenu = (button) => {
    const side = byId("console-side");
    const set = (open) => {
      document.body.classList.toggle("console-menu-open", open);
      button.setAttribute("aria-expanded", String(open));
      (open ? side.querySelector("a") : button).focus();
    };
    const isOpen = () => document.body.classList.contains("console-menu-open");
    button.hidden = false;
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      set(!isOpen());
    });
    document.addEventListener("click", (event) => isOpen() && !side.contains(event.target) && set(false));
    document.addEventListener("keydown", (event) => event.key === "Escape" && isOpen() && set(false));
  };

  /* --- Shortcuts --- */

  const search = () => {
    const field = document.querySelector("main [data-search], main #searchbar, main input[type=search]");
    field?.focus();
    field?.select();
    return Boolean(field);
  };

  const openSwitcher = () => {
    const switcher = byId("environment-switcher");
    if (switcher) {
      switcher.open = true;
    }
  };

  /* A page tells of its own keys by data-shortcut and data-shortcut-text on whatever they act on. */
  const openHelp = () => {
    const help = byId("console-help");
    const here = byId("console-help-here");
    if (!help || help.open) {
      return;
    }
    const list = here.querySelector("dl");
    list.replaceChildren();
    for (const own of document.querySelectorAll("[data-shortcut][data-shortcut-text]")) {
      const [name, meaning] = [document.createElement("dt"), document.createElement("dd")];
      const key = document.createElement("kbd");
      key.textContent = own.dataset.shortcut;
      name.append(key);
      meaning.textContent = own.dataset.shortcutText;
      list.append(name, meaning);
    }
    here.hidden = !list.childElementCount;
    help.showModal();
  };

  let wentAt = 0;

  const follow = (key) => {
    if (key === "v") {
      openSwitcher();
      return true;
    }
    const link = document.querySelector(`#nav-sidebar a[data-key="${CSS.escape(key)}"]`);
    link?.click();
    return Boolean(link);
  };

  const shortcut = (event) => {
    if (!window.agentpostConsole.isForThePage(event)) {
      return;
    }
    const goes = Date.now() - wentAt < 1500;
    wentAt = 0;
    if (goes && follow(event.key)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (event.key === "g") {
      wentAt = Date.now();
    } else if (event.key === "?") {
      event.preventDefault();
      openHelp();
    } else if (event.key === "/" && search()) {
      event.preventDefault();
    }
  };

  /* The theme lets some things be clicked that no key reaches: filters, and the themes of the sign-in page. */
  const letKeysReach = () => {
    for (const thing of document.querySelectorAll("a[x-on\\:click]:not([href]), span[x-on\\:click]")) {
      thing.tabIndex = 0;
      thing.setAttribute("role", "button");
      thing.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          thing.click();
        }
      });
    }
  };

  document.addEventListener("keydown", shortcut, true);
  document.addEventListener("click", closeWhatIsLeft);
  document.addEventListener("DOMContentLoaded", () => {
    const [switcher, menu, help] = ["environment-switcher", "console-menu", "console-help-button"].map(byId);
    if (switcher) {
      tieSwitcher(switcher);
    }
    if (menu) {
      tieMenu(menu);
    }
    if (help) {
      help.hidden = false;
      help.addEventListener("click", openHelp);
    }
    letKeysReach();
    showIn(byId("nav-sidebar"), "a[aria-current]");
  });
})();
