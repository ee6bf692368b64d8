/* Settings pages: presets of scopes, waiting for the answer to a test, and following events as they happen. */
(function () {
  "use strict";

  const MOST_ROWS = 200;
  const LONGEST_WAIT = 30000; // milliseconds between two tries to connect

  function onReady(act) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act);
    else act();
  }

  function choosePresets(table) {
    table.querySelectorAll("[data-settings-preset]").forEach((link) => {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const wanted = new Set(link.dataset.settingsPreset.split(" "));
        table.querySelectorAll("input[type=checkbox]").forEach((box) => {
          box.checked = wanted.has(box.value);
        });
      });
    });
  }

  function reloadSoon() {
    const tries = Number(new URLSearchParams(location.hash.slice(1)).get("tries") || 0);
    if (tries >= 15) return;
    setTimeout(() => {
      location.hash = "tries=" + (tries + 1);
      location.reload();
    }, 1500);
  }

  class Live {
    constructor(root) {
      this.root = root;
      this.state = root.querySelector("[data-state]");
      this.rows = root.querySelector("[data-rows]");
      this.nothing = root.querySelector("[data-nothing]");
      this.pause = root.querySelector("[data-pause]");
      this.clear = root.querySelector("[data-clear]");
      this.after = "";
      this.wait = 1000;
      this.held = [];
      this.pause.hidden = this.clear.hidden = false;
      this.pause.addEventListener("click", () => this.toggle());
      this.clear.addEventListener("click", () => this.rows.replaceChildren());
      this.connect();
    }

    tell(words, is) {
      this.state.textContent = words;
      this.state.dataset.is = is;
    }

    async connect() {
      this.tell("Connecting…", "");
      try {
        const ticket = await this.ticket();
        if (ticket) this.open(ticket);
      } catch {
        this.again();
      }
    }

    async ticket() {
      const form = new FormData();
      form.append("csrfmiddlewaretoken", this.root.querySelector("[name=csrfmiddlewaretoken]").value);
      form.append(this.root.dataset.field, this.root.dataset.environment);
      const answer = await fetch(this.root.dataset.ticket, { method: "POST", body: form, redirect: "manual" });
      if (answer.status === 201) return (await answer.json()).ticket;
      if (answer.status >= 500 || answer.status === 429) throw new Error("later");
      this.tell("Not followed any more: you are signed out, or in another environment. Load the page again.", "trouble");
      return null;
    }

    open(ticket) {
      const query = new URLSearchParams({ ticket, environment_id: this.root.dataset.environment });
      if (this.after) query.set("after", this.after);
      const source = new EventSource(this.root.dataset.stream + "?" + query);
      source.onopen = () => {
        this.wait = 1000;
        this.tell(this.isPaused ? "Paused." : "Following.", "open");
      };
      source.onerror = () => {
        source.close(); // a ticket opens one stream, so the browser's own way to come back would be refused
        this.again();
      };
      source.addEventListener("end", () => {
        source.close();
        this.again();
      });
      this.root.dataset.types.split(" ").forEach((type) => {
        source.addEventListener(type, (event) => this.take(event));
      });
    }

    again() {
      this.tell("Connection lost. Trying again…", "trouble");
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }

    get isPaused() {
      return this.pause.getAttribute("aria-pressed") === "true";
    }

    toggle() {
      const paused = !this.isPaused;
      this.pause.setAttribute("aria-pressed", String(paused));
      this.pause.textContent = paused ? "Go on" : "Pause";
      this.tell(paused ? "Paused. What happens meanwhile is shown when you go on." : "Following.", "open");
      if (!paused) this.held.splice(0).forEach((told) => this.show(told));
    }

    take(event) {
      this.after = event.lastEventId || this.after;
      let told;
      try {
        told = JSON.parse(event.data);
      } catch {
        return;
      }
      if (!this.isPaused) this.show(told);
      else if (this.held.push(told) > MOST_ROWS) this.held.shift();
    }

    show(told) {
      const row = document.createElement("tr");
      row.append(cell(moment(told.timestamp)), cell(this.link(told)), cell(summary(told.data)), cell(code(told.id)));
      this.rows.prepend(row);
      while (this.rows.children.length > MOST_ROWS) this.rows.lastElementChild.remove();
      this.nothing.hidden = true;
    }

    link(told) {
      const link = document.createElement("a");
      link.className = "console-link";
      link.href = this.root.dataset.page + encodeURIComponent(told.id) + "/change/";
      link.textContent = told.type;
      return link;
    }
  }

  function cell(content) {
    const made = document.createElement("td");
    made.append(content);
    return made;
  }

  function code(text) {
    const made = document.createElement("code");
    made.textContent = text;
    return made;
  }

  function moment(timestamp) {
    const made = document.createElement("time");
    made.dateTime = made.title = timestamp;
    made.textContent = timestamp.slice(11, 19) + " UTC";
    return made;
  }

  function summary(data) {
    const said = ["from_address", "subject", "email", "domain", "url", "reason", "name"]
      .map((name) => data[name])
      .filter((value) => typeof value === "string" && value);
    return said.join(" · ").slice(0, 200) || "-";
  }

  onReady(() => {
    document.querySelectorAll("[data-settings-scopes]").forEach(choosePresets);
    document.querySelectorAll("[data-settings-live]").forEach((root) => new Live(root));
    if (document.querySelector("[data-settings-reload]")) reloadSoon();
  });
})();
