"use strict";
// The page is complete without this: it only adds sorting, a filter and opening all at once.
(() => {
  const rows = [...document.querySelectorAll("details.prompt")];
  const strips = [...document.querySelectorAll(".strip")];
  const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const list = document.getElementById("rows");
  const tools = document.getElementById("tools");

  const chooser = (place, label, options, onChange) => {
    const wrap = make("label", label + " ");
    const select = document.createElement("select");
    for (const [value, text] of options) {
      select.append(Object.assign(make("option", text), { value }));
    }
    select.addEventListener("change", () => onChange(select.value));
    wrap.append(select);
    place.append(wrap);
  };

  // Browsers that do not open a line whose inside is linked to get help here.
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const folded = target && target.querySelector(":scope > details.fold");
    if (folded) folded.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => {
    for (const more of document.querySelectorAll("details.more")) more.open = true;
  });

  const place = (cell) => Number.parseInt((cell.getAttribute("href") || "#p").slice(2), 10) || 0;
  const value = (cell) => Number.parseFloat(cell.textContent);
  if (strips.length) {
    const orders = [["score", "most alike first"], ["suite", "order of the suite"]];
    chooser(document.getElementById("strip-tools"), "Order of cells", orders, (v) => {
      const by = v === "score" ? (x, y) => value(y) - value(x) : (x, y) => place(x) - place(y);
      for (const strip of strips) strip.append(...[...strip.children].sort(by));
    });
  }
  if (!list || !tools) return;

  const named = [["", "name"], ...strips.map((s, i) => [String(i), s.dataset.title])];
  chooser(tools, "Sort by", named, (v) => {
    const cells = v === "" ? [] : [...strips[v].children];
    const scores = new Map(cells.map((cell) => [cell.getAttribute("href"), cell.textContent]));
    const score = (row) => scores.get("#" + row.lastElementChild.id) || "";
    const number = (row) => (score(row) ? Number.parseFloat(score(row)) : -Infinity);
    for (const row of rows) row.querySelector(".score").textContent = score(row);
    list.append(...(v === "" ? rows : [...rows].sort((x, y) => number(y) - number(x))));
  });

  const wanted = { category: "", words: [] };
  const count = make("span", "");
  count.setAttribute("role", "status");
  const choose = () => {
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const fits = wanted.category === "" || row.dataset.category === wanted.category;
      row.hidden = !fits || !wanted.words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} prompts`;
  };

  const categories = [...new Set(rows.map((row) => row.dataset.category))].sort();
  chooser(tools, "Show", [["", "all categories"], ...categories.map((c) => [c, c])], (v) => {
    wanted.category = v;
    choose();
  });

  const search = Object.assign(document.createElement("input"), { type: "search" });
  search.addEventListener("input", () => {
    wanted.words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    choose();
  });
  const field = make("label", "Find ");
  field.append(search);
  tools.append(field, count);

  const button = make("button", "Open all");
  button.type = "button";
  button.addEventListener("click", () => {
    const open = rows.some((row) => !row.hidden && !row.open);
    for (const row of rows) row.open = open && !row.hidden;
    button.textContent = open ? "Close all" : "Open all";
  });
  tools.append(button);
})();
