"use strict";
// The page is complete without this: it only adds sorting, a filter and opening all at once.
(() => {
  const strip = document.querySelector(".strip");
  const tools = document.getElementById("tools");
  if (!strip || !tools) return;
  const rows = [...strip.querySelectorAll("details.prompt")];
  const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

  const chooser = (label, options, onChange) => {
    const wrap = make("label", label + " ");
    const select = document.createElement("select");
    for (const [value, text] of options) {
      select.append(Object.assign(make("option", text), { value }));
    }
    select.addEventListener("change", () => onChange(select.value));
    wrap.append(select);
    tools.append(wrap);
  };

  const names = [...strip.querySelectorAll(".head .cell")].map((cell) => cell.textContent);
  const score = (row, column) => {
    const value = Number.parseFloat(row.querySelectorAll("summary .cell")[column].textContent);
    return Number.isNaN(value) ? -Infinity : value;
  };
  chooser("Sort by", [["", "order of the suite"], ...names.map((n, i) => [String(i), n])], (v) => {
    const sorted = v === "" ? rows : [...rows].sort((x, y) => score(y, v) - score(x, v));
    strip.append(...sorted);
  });

  const categories = [...new Set(rows.map((row) => row.dataset.category))].sort();
  chooser("Show", [["", "all categories"], ...categories.map((c) => [c, c])], (v) => {
    for (const row of rows) row.hidden = v !== "" && row.dataset.category !== v;
  });

  const button = make("button", "Open all");
  button.type = "button";
  button.addEventListener("click", () => {
    const open = rows.some((row) => !row.hidden && !row.open);
    for (const row of rows) row.open = open && !row.hidden;
    button.textContent = open ? "Close all" : "Open all";
  });
  tools.append(button);
  addEventListener("beforeprint", () => {
    for (const more of document.querySelectorAll("details.more")) more.open = true;
  });
})();
