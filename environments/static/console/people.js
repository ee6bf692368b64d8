/* How strong a password is while it is typed. The server judges it anew, and alone decides. */
(() => {
    "use strict";

    const WORDS = ["Too short", "Weak", "Fair", "Good", "Strong"];
    const KINDS = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/];

    function strength(password) {
        if (password.length < 8) return 0;
        const kinds = KINDS.filter((kind) => kind.test(password)).length;
        const distinct = new Set(password).size;
        const bits = Math.min(password.length, distinct * 2) * (2 + kinds);
        return [0, 35, 60, 85].filter((least) => bits >= least).length;
    }

    function watch(field) {
        const told = document.createElement("p");
        const bar = document.createElement("span");
        const word = document.createElement("span");
        told.className = "people-strength";
        told.setAttribute("role", "status");
        bar.setAttribute("aria-hidden", "true");
        told.hidden = true;
        told.append(bar, word);
        field.after(told);
        field.addEventListener("input", () => {
            const level = strength(field.value);
            told.hidden = field.value === "";
            told.dataset.level = level;
            word.textContent = WORDS[level];
        });
    }

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll('input[name="password"][autocomplete="new-password"]').forEach(watch);
    });
})();
