"use strict";
// Every page is complete without this: it adds sorting, a filter and arrow keys.
(() => {
  const tables = [...document.querySelectorAll("table.rows")];
  const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const place = document.getElementById("find");
  const prompts = [...document.querySelectorAll("details.prompt")];
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

  const chooser = (label, options, choose) => {
    const wrap = make("label", `${label} `);
    const select = document.createElement("select");
    for (const [value, text] of options) {
      select.append(Object.assign(make("option", text), { value }));
    }
    select.addEventListener("change", () => choose(select.value));
    wrap.append(select);
    return wrap;
  };

  // Narrow windows hide the heads of tables, and with them what sorts.
  const narrowSort = () => {
    const ways = [["", "order of the folder"]];
    [...tables[0].tHead.rows[0].cells].forEach((cell, column) => {
      for (const way of ["ascending", "descending"]) {
        ways.push([`${column} ${way}`, `${cell.textContent.trim()}, ${way}`]);
      }
    });
    const wrap = chooser("Sort", ways, (chosen) => {
      const [column, way] = chosen.split(" ");
      if (way) sort(tables[0], Number(column), way === "descending");
    });
    wrap.className = "narrow";
    return wrap;
  };

  const promptTools = () => {
    const list = document.getElementById("rows");
    const shared = (row) => Number(row.dataset.shared);
    const orders = [["", "order of the file"], ["shared", "most shared wording first"]];
    const tools = prompts.some(shared)
      ? [chooser("Sort", orders, (by) => {
          list.append(...(by ? [...prompts].sort((x, y) => shared(y) - shared(x)) : prompts));
        })]
      : [];
    const button = make("button", "Open all");
    button.type = "button";
    button.addEventListener("click", () => {
      const open = prompts.some((row) => !row.hidden && !row.open);
      for (const row of prompts) row.open = open && !row.hidden;
      button.textContent = open ? "Close all" : "Open all";
    });
    return [...tools, button];
  };

  if (place && (tables.length || prompts.length)) {
    const texts = new Map();
    const search = Object.assign(make("input", ""), { type: "search" });
    const count = make("span", "");
    count.setAttribute("role", "status");
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...tables.flatMap((table) => [...table.tBodies[0].rows]), ...prompts];
      for (const row of rows) {
        if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
        row.hidden = !words.every((word) => texts.get(row).includes(word));
      }
      const shown = rows.filter((row) => !row.hidden).length;
      const what = prompts.length ? "prompts" : "rows";
      count.textContent = words.length ? `${shown} of ${rows.length} ${what}` : "";
    };
    search.addEventListener("input", filter);
    const field = make("label", "Find ");
    field.append(search);
    const hint = make("span", "");
    hint.className = "keyboard";
    hint.append(make("kbd", "/"), " finds, ", make("kbd", "↑"), " ", make("kbd", "↓"), " go from row to row");
    place.append(field, ...(tables.length ? [narrowSort()] : promptTools()), count, hint);
    addEventListener("keydown", (event) => {
      const at = document.activeElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (at && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) return;
      event.preventDefault();
      search.focus();
    });
  }

  // Two cases side by side: a static site holds the facts of all, a server is asked for others.
  const choose = document.getElementById("choose");
  if (choose) {
    const cases = JSON.parse(choose.dataset.cases);
    const table = document.querySelector("table.beside");
    const sides = [Number(choose.dataset.first), Number(choose.dataset.second)];
    const row = (kind, ...cells) => {
      const made = make("tr", "");
      made.className = kind;
      made.append(...cells);
      return made;
    };
    const show = () => {
      const facts = sides.map((at) => new Map(cases[at].facts.map(([g, l, t]) => [`${g}\n${l}`, t])));
      const groups = new Map();
      for (const name of new Set(facts.flatMap((of) => [...of.keys()]))) {
        const [group, label] = name.split("\n");
        const texts = facts.map((of) => of.get(name) ?? "–");
        const head = Object.assign(make("th", label), { scope: "row" });
        const kind = texts[0] === texts[1] ? "" : "differs";
        groups.set(group, [...(groups.get(group) ?? []), row(kind, head, ...texts.map((t) => make("td", t)))]);
      }
      const bodies = [...groups].map(([group, rows]) => {
        const head = Object.assign(make("th", group), { scope: "rowgroup", colSpan: 3 });
        const body = document.createElement("tbody");
        body.append(row("group", head), ...rows);
        return body;
      });
      for (const body of [...table.tBodies]) body.remove();
      table.append(...bodies);
      table.tHead.querySelectorAll("a").forEach((link, side) => {
        link.textContent = cases[sides[side]].title;
        link.href = cases[sides[side]].link;
      });
    };
    const named = (of, file, number) => `${file}=${of.file}${of.number && `&${number}=${of.number}`}`;
    const change = () => {
      if (sides.every((at) => cases[at].facts)) show();
      else location.search = `?${named(cases[sides[0]], "f", "n")}&${named(cases[sides[1]], "g", "m")}`;
    };
    const linked = cases.findIndex((of) => of.link === location.hash.slice(1));
    if (linked >= 0 && cases.every((of) => of.facts)) {
      sides[0] = linked;
      if (sides[1] === linked) sides[1] = linked ? 0 : 1;
      show();
    }
    ["First", "Second"].forEach((label, side) => {
      const made = chooser(label, cases.map((of, at) => [String(at), of.title]), (at) => {
        sides[side] = Number(at);
        change();
      });
      made.lastElementChild.value = String(sides[side]);
      choose.append(made);
    });
  }

  addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const at = document.activeElement;
    const row = at && (at.closest("table.rows tbody tr") || (at.tagName === "SUMMARY" && at.closest(".prompt")));
    if (!row) return;
    const side = event.key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling";
    const target = (of) => of.querySelector(of.tagName === "TR" ? "a" : "summary");
    let next = row[side];
    while (next && (next.hidden || !target(next))) next = next[side];
    if (!next) return;
    event.preventDefault();
    target(next).focus();
  });
})();
