/* The lists of mail: select all, count what is selected, ask before what cannot be undone, and move by keyboard. */

(() => {
  "use strict";

  const select = (list) => {
    const all = list.querySelector("[data-mail-all]");
    const count = list.querySelector("[data-mail-count]");
    const boxes = [...list.querySelectorAll(".mail-check")];
    if (!all) {
      return;
    }
    const tell = () => {
      const chosen = boxes.filter((box) => box.checked).length;
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
      count.textContent = chosen ? `${chosen} selected` : "Select all";
    };
    all.addEventListener("change", () => {
      for (const box of boxes) {
        box.checked = all.checked;
      }
      tell();
    });
    list.addEventListener("change", tell);
    tell();
  };

  const confirmFirst = (list) => {
    list.addEventListener("submit", (event) => {
      const question = event.submitter?.dataset.mailConfirm;
      if (question && !window.confirm(question)) {
        event.preventDefault();
      }
    });
  };

  /* j and k go from line to line, x selects the line, Enter opens it as any link. */
  const moveByKeyboard = (links) => {
    document.addEventListener("keydown", (event) => {
      if (!window.agentpostConsole.isForThePage(event)) {
        return;
      }
      const line = document.activeElement.closest(".mail-line");
      const at = line ? links.indexOf(line.querySelector(".mail-line-link")) : -1;
      if (event.key === "j" || event.key === "k") {
        const next = Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), links.length - 1);
        links[next].focus();
        event.preventDefault();
      } else if (event.key === "x" && line) {
        line.querySelector(".mail-check")?.click();
      }
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    const list = document.querySelector("[data-mail-list]");
    const links = [...document.querySelectorAll(".mail-line-link")];
    if (list) {
      select(list);
      confirmFirst(list);
    }
    if (links.length) {
      moveByKeyboard(links);
    }
  });
})();
