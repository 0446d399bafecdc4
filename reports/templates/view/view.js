"use strict";
// Every page is complete without this: it adds sorting, a filter and arrow keys to its tables.
(() => {
  const tables = [...document.querySelectorAll("table.rows")];
  const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const place = document.getElementById("find");
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const value = (row, column, numeric) => {
    let at = column;
    const cell = [...row.cells].find((c) => (at -= c.colSpan) < 0);
    const text = cell.dataset.v ?? cell.textContent.trim();
    return numeric ? Number.parseFloat(text) : text;
  };
  // What is not known goes to the end, whichever way it is sorted.
  const byNumber = (x, y) => (Number.isNaN(x) ? 1 : Number.isNaN(y) ? -1 : x - y);

  const sort = (table, column, descending) => {
    const head = table.tHead.rows[0].cells;
    const numeric = head[column].dataset.sort === "number";
    const keyed = [...table.tBodies[0].rows].map((row) => [value(row, column, numeric), row]);
    const compare = numeric ? byNumber : order.compare;
    const way = (x, y) => (numeric && (Number.isNaN(x) || Number.isNaN(y)) ? 1 : descending ? -1 : 1);
    keyed.sort(([x], [y]) => way(x, y) * compare(x, y));
    table.tBodies[0].append(...keyed.map(([, row]) => row));
    for (const cell of head) cell.removeAttribute("aria-sort");
    head[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
  };

  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      const button = make("button", cell.textContent);
      button.type = "button";
      button.addEventListener("click", () => {
        sort(table, column, cell.getAttribute("aria-sort") === "ascending");
      });
      cell.replaceChildren(button);
    });
  }

  if (place && tables.length) {
    const texts = new Map();
    const search = Object.assign(make("input", ""), { type: "search" });
    const count = make("span", "");
    count.setAttribute("role", "status");
    const choose = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let all = 0;
      let shown = 0;
      for (const table of tables) {
        for (const row of table.tBodies[0].rows) {
          if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
          const text = texts.get(row);
          row.hidden = !words.every((word) => text.includes(word));
          all += 1;
          shown += row.hidden ? 0 : 1;
        }
      }
      count.textContent = words.length ? `${shown} of ${all} rows` : "";
    };
    search.addEventListener("input", choose);
    const field = make("label", "Find ");
    field.append(search);
    // Narrow windows hide the heads of tables, and with them what sorts.
    const by = document.createElement("select");
    by.append(make("option", "order of the folder"));
    const head = [...tables[0].tHead.rows[0].cells];
    head.forEach((cell, column) => {
      for (const way of ["ascending", "descending"]) {
        const option = make("option", `${cell.textContent.trim()}, ${way}`);
        by.append(Object.assign(option, { value: `${column} ${way}` }));
      }
    });
    by.addEventListener("change", () => {
      const [column, way] = by.value.split(" ");
      if (way) sort(tables[0], Number(column), way === "descending");
    });
    const chooser = make("label", "Sort ");
    chooser.className = "narrow";
    chooser.append(by);
    const hint = make("span", "");
    hint.className = "keyboard";
    hint.append(make("kbd", "/"), " finds, ", make("kbd", "↑"), " ", make("kbd", "↓"), " go from row to row");
    place.append(field, chooser, count, hint);
    addEventListener("keydown", (event) => {
      const at = document.activeElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (at && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) return;
      event.preventDefault();
      search.focus();
    });
  }

  addEventListener("keydown", (event) => {
    const ends = { ArrowDown: 1, ArrowUp: -1 };
    const row = document.activeElement && document.activeElement.closest("table.rows tbody tr");
    if (!row || !(event.key in ends)) return;
    const side = event.key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling";
    let next = row[side];
    while (next && (next.hidden || !next.querySelector("a"))) next = next[side];
    if (!next) return;
    event.preventDefault();
    next.querySelector("a").focus();
  });
})();
