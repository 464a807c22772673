"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const KINDS = data.kinds;
  const LANE = 46, LEFT = 14, TOP = 26;

  // Everything that comes from the record is set as text, never as markup.
  function make(name, attributes, text) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function draw(name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // Theme.
  const root = document.documentElement;
  byId("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // Filters.
  const findings = [...document.querySelectorAll("details.finding")];
  const filters = { user: byId("by-user"), run: byId("by-run"), oracle: byId("by-oracle") };
  function filter() {
    const user = filters.user ? filters.user.value.trim() : "";
    const run = filters.run ? filters.run.value : "";
    const oracle = filters.oracle ? filters.oracle.value : "";
    let shown = 0;
    for (const finding of findings) {
      const own = data.findings[finding.id];
      const users = [own.victim, own.observer];
      const fits = (!user || users.some((name) => name.includes(user)))
        && (!run || String(own.run) === run) && (!oracle || own.oracle === oracle);
      finding.classList.toggle("hidden", !fits);
      if (fits) shown += 1;
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      const any = findings.some((one) => one.dataset.of === group.dataset.group
        && !one.classList.contains("hidden"));
      group.classList.toggle("hidden", !any);
    }
    byId("shown").textContent = `${shown} of ${findings.length} findings shown`;
  }
  for (const field of Object.values(filters)) {
    if (field) field.addEventListener("input", filter);
  }
  const clear = byId("clear");
  if (clear) {
    clear.addEventListener("click", () => {
      for (const field of Object.values(filters)) field.value = "";
      filter();
    });
  }

  // Copying.
  async function copy(button) {
    const code = button.previousElementSibling;
    let done = false;
    try {
      await navigator.clipboard.writeText(code.textContent);
      done = true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", () => copy(button));
  }

  // Timelines.
  function words(line, mark) {
    const [n, at, lane, kind, label, run, owner] = mark;
    let text = `observation ${n}, ${line.unit} ${at}: ${line.lanes[lane]} ${KINDS[kind]}: `
      + line.labels[label];
    if (run !== null) text += `, run ${run}`;
    if (owner !== null) text += ` of ${line.lanes[owner]} (another user)`;
    return text;
  }

  function lanesOf(own, line, all) {
    const chosen = [own.v, own.o].filter((lane, at, both) => lane !== null && both.indexOf(lane) === at);
    if (all) return [...chosen, ...line.lanes.keys()].filter((l, at, list) => list.indexOf(l) === at);
    const near = own.c ? own.c[1] : (own.e.length ? own.e[0][0] : 0);
    const others = line.marks.slice().sort((a, b) => Math.abs(a[0] - near) - Math.abs(b[0] - near));
    for (const mark of others) {
      if (chosen.length >= Math.min(6, line.lanes.length)) break;
      if (!chosen.includes(mark[2])) chosen.push(mark[2]);
    }
    return chosen;
  }

  function shape(kind, x, y, classes) {
    const name = data.kindNames[kind];
    const attributes = { class: `mark ${classes}` };
    const path = (d) => draw("path", { ...attributes, d });
    switch (name) {
      case "start": return path(`M${x - 5} ${y - 6}L${x + 7} ${y}L${x - 5} ${y + 6}Z`);
      case "request": return path(`M${x} ${y - 6}L${x + 5} ${y + 5}L${x - 5} ${y + 5}Z`);
      case "answer": return draw("rect", { ...attributes, x: x - 5, y: y - 5, width: 10, height: 10 });
      case "emitted": return draw("circle", { class: `mark open ${classes}`, cx: x, cy: y, r: 4 });
      case "internal": return path(`M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z`);
      case "gone": return path(`M${x - 5} ${y - 3}l2 -2l3 3l3 -3l2 2l-3 3l3 3l-2 2l-3 -3l-3 3l-2 -2l3 -3Z`);
      case "connected": return draw("rect", { ...attributes, x: x - 2, y: y - 7, width: 4, height: 14 });
      case "gave_up": return draw("rect", { class: `mark open ${classes}`, x: x - 5, y: y - 5, width: 10, height: 10 });
      default: return draw("circle", { ...attributes, cx: x, cy: y, r: 5 });
    }
  }

  function paint(place, own, line, all) {
    const lanes = lanesOf(own, line, all);
    const row = new Map(lanes.map((lane, at) => [lane, at]));
    const marks = line.marks.filter((mark) => row.has(mark[2]));
    const step = Math.max(all ? 5 : 9, Math.min(30, 900 / Math.max(1, marks.length)));
    const column = new Map(marks.map((mark, at) => [mark[0], LEFT + 10 + at * step]));
    const width = Math.max(320, LEFT + 40 + marks.length * step);
    const height = TOP + lanes.length * LANE + 8;
    const y = (lane) => TOP + row.get(lane) * LANE + LANE / 2;
    const first = (n) => {
      const next = marks.find((mark) => mark[0] >= n);
      return next ? column.get(next[0]) : width - 20;
    };
    const nameWidth = 150;
    const names = draw("svg", { width: nameWidth, height, "aria-hidden": "true" });
    const svg = draw("svg", { width, height, role: "group", "aria-label": "Timeline" });
    lanes.forEach((lane, at) => {
      const role = lane === own.v ? "owner" : lane === own.o ? "observer" : "";
      const name = line.lanes[lane];
      const text = draw("text", {
        x: 10, y: y(lane) + (role ? 0 : 4),
        class: role === "owner" ? "lane-victim" : role ? "lane-observer" : "",
      }, name.length > 19 ? `${name.slice(0, 18)}…` : name);
      text.append(draw("title", {}, name));
      names.append(text);
      if (role) names.append(draw("text", { x: 10, y: y(lane) + 15, class: "faint" }, role));
      const bottom = TOP + (at + 1) * LANE;
      for (const to of [names, svg]) {
        to.append(draw("line", { x1: 0, x2: width, y1: bottom, y2: bottom, class: "rule" }));
      }
    });
    for (let at = 0; at < marks.length; at += Math.max(1, Math.ceil(70 / step))) {
      const x = column.get(marks[at][0]);
      svg.append(draw("text", { x, y: 14, class: "faint", "text-anchor": "middle" }, `#${marks[at][0]}`));
    }
    for (const [lane, run, from, to, end] of line.runs) {
      if (!row.has(lane)) continue;
      const x = first(from) - 7;
      const wide = Math.max(14, first(to) - x + 8);
      const role = lane === own.v ? "victim" : lane === own.o ? "observer" : "";
      const bar = draw("rect", { x, y: y(lane) - 13, width: wide, height: 26, rx: 6, class: `bar ${role}` });
      if (end !== "completed") bar.setAttribute("stroke-dasharray", "4 3");
      bar.append(draw("title", {}, `${line.lanes[lane]}'s run ${run}: ${end}`));
      svg.append(bar);
      svg.append(draw("text", { x: x + 4, y: y(lane) - 16, class: "faint" },
        end === "completed" ? `run ${run}` : `run ${run} (${end})`));
    }
    const detail = place.querySelector(".detail");
    const proofs = new Map(own.e);
    const groups = [];
    for (const mark of marks) {
      const [n, , lane, kind, , , owner] = mark;
      const proof = proofs.get(n);
      const classes = `${owner !== null ? "foreign" : ""} ${proof ? "proof" : ""}`;
      const text = words(line, mark) + (proof ? `. Evidence: ${proof}` : "");
      const group = draw("g", { class: "m", tabindex: groups.length ? "-1" : "0", role: "img", "aria-label": text });
      const x = column.get(n);
      group.append(shape(kind, x, y(lane), classes), draw("title", {}, text));
      if (owner !== null) {
        group.append(draw("text", { x, y: y(lane) + 19, "text-anchor": "middle", class: "arrow-label" }, "!"));
      }
      const show = () => { detail.textContent = text; };
      group.addEventListener("focus", show);
      group.addEventListener("mouseenter", show);
      groups.push(group);
      svg.append(group);
    }
    if (own.c && column.has(own.c[0]) && column.has(own.c[1])) {
      const [from, to] = own.c;
      const [x1, x2, y1, y2] = [column.get(from), column.get(to), y(own.v), y(own.o)];
      const down = y2 > y1 ? 1 : -1;
      const middle = (y1 + y2) / 2;
      const bend = x2 - x1 < 40 ? 46 : 0;
      const text = `${own.what}, from ${line.lanes[own.v]} to ${line.lanes[own.o]}. `
        + own.e.map(([n, shows]) => `Observation ${n}: ${shows}`).join(". ");
      const group = draw("g", { class: "m crossing", tabindex: "0", role: "img", "aria-label": text });
      const d = `M${x1} ${y1 + down * 9}C${x1 + bend} ${middle} ${x2 + bend} ${middle} ${x2} ${y2 - down * 12}`;
      group.append(draw("path", { d, class: "arrow" }));
      group.append(draw("path", {
        d: `M${x2 - 6} ${y2 - down * 15}L${x2 + 6} ${y2 - down * 15}L${x2} ${y2 - down * 5}Z`, class: "arrowhead",
      }));
      const label = own.kind === "crossing" ? "crosses here" : own.kind;
      const across = Math.min(x2 + 12, width - 96);
      group.append(draw("rect", { x: across, y: middle - 10, width: 88, height: 20, rx: 5, class: "arrow-back" }));
      group.append(draw("text", { x: across + 6, y: middle + 4, class: "arrow-label" }, label));
      group.append(draw("title", {}, text));
      const show = () => { detail.textContent = text; };
      group.addEventListener("focus", show);
      group.addEventListener("mouseenter", show);
      svg.append(group);
      detail.textContent = text;
    } else if (own.e.length) {
      detail.textContent = own.e.map(([n, shows]) => `Observation ${n}: ${shows}`).join(". ");
    }
    // One stop for Tab, arrows from mark to mark.
    svg.addEventListener("keydown", (event) => {
      const at = groups.indexOf(document.activeElement);
      const by = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: groups.length - 1 - at }[event.key];
      if (at < 0 || by === undefined) return;
      const next = groups[Math.max(0, Math.min(groups.length - 1, at + by))];
      groups[at].setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
      event.preventDefault();
    });
    const drawn = make("div", { class: "drawn", tabindex: "-1" });
    drawn.append(svg);
    const side = make("div", { class: "names" });
    side.append(names);
    place.querySelector(".view").replaceChildren(side, drawn);
    const target = own.c ? own.c[1] : own.e.length ? own.e[own.e.length - 1][0] : null;
    if (target !== null && column.has(target)) {
      drawn.scrollLeft = Math.max(0, column.get(target) - drawn.clientWidth / 2);
    }
    return lanes;
  }

  function steps(place, own, line, all) {
    const lanes = [own.v, own.o].filter((lane, at, both) => lane !== null && both.indexOf(lane) === at);
    let marks = line.marks.filter((mark) => lanes.includes(mark[2]));
    const centre = own.c ? own.c[1] : own.e.length ? own.e[own.e.length - 1][0] : 0;
    const whole = marks.length;
    if (!all) {
      const at = marks.findIndex((mark) => mark[0] >= centre);
      const from = Math.max(0, (at < 0 ? marks.length : at) - 24);
      marks = marks.slice(from, from + 36);
    }
    const table = make("table");
    const head = make("tr");
    head.append(make("th", { scope: "col", class: "n" }, "#"));
    for (const lane of lanes) head.append(make("th", { scope: "col" }, line.lanes[lane]));
    const thead = make("thead");
    thead.append(head);
    const body = make("tbody");
    const proofs = new Map(own.e);
    for (const mark of marks) {
      const [n, , lane, kind, label, run, owner] = mark;
      const row = make("tr");
      if (own.c && n === own.c[0]) row.className = "from";
      if (own.c && n === own.c[1]) row.className = "to";
      else if (proofs.has(n)) row.className = "proof";
      row.append(make("td", { class: "n" }, n));
      for (const own of lanes) {
        let text = "";
        if (own === lane) {
          text = `${KINDS[kind]} ${line.labels[label]}`;
          if (owner !== null) text = `! ${text} of ${line.lanes[owner]}'s run ${run === null ? "" : run}`;
          if (proofs.has(n)) text += ` — ${proofs.get(n)}`;
        }
        row.append(make("td", {}, text));
      }
      body.append(row);
    }
    table.append(thead, body);
    const box = place.querySelector(".steps");
    box.replaceChildren(table);
    place.querySelector(".step-count").textContent = marks.length < whole
      ? `${marks.length} of ${whole} steps, those around what was seen` : `${whole} steps`;
  }

  function fill(finding) {
    const place = finding.querySelector(".timeline");
    if (!place || place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    const own = data.findings[finding.id];
    const line = data.timelines[own.t];
    const all = place.querySelector("button.all");
    let wide = line.lanes.length <= 6;
    all.hidden = wide;
    paint(place, own, line, wide);
    all.addEventListener("click", () => {
      wide = !wide;
      all.textContent = wide ? "Only those near it" : `All ${line.lanes.length} users`;
      paint(place, own, line, wide);
    });
    all.textContent = `All ${line.lanes.length} users`;
    let every = false;
    const more = place.querySelector("button.every");
    steps(place, own, line, every);
    more.addEventListener("click", () => {
      every = !every;
      more.textContent = every ? "Only those around it" : "All steps";
      steps(place, own, line, every);
    });
  }
  for (const finding of findings) {
    finding.addEventListener("toggle", () => { if (finding.open) fill(finding); });
    if (finding.open) fill(finding);
  }
  function open(all) {
    for (const finding of findings) {
      if (!finding.classList.contains("hidden")) finding.open = all;
    }
  }
  const unfold = byId("unfold");
  if (unfold) {
    unfold.addEventListener("click", () => {
      const any = findings.some((one) => !one.open && !one.classList.contains("hidden"));
      open(any);
      unfold.textContent = any ? "Fold all" : "Unfold all";
    });
  }
  function toTarget() {
    const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (target && target.matches("details")) target.open = true;
  }
  addEventListener("hashchange", toTarget);
  toTarget();
  addEventListener("beforeprint", () => {
    for (const more of document.querySelectorAll("details.more")) more.open = true;
  });
  // j and k go from finding to finding.
  addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && filters.user) { filters.user.focus(); event.preventDefault(); return; }
    if (event.key !== "j" && event.key !== "k") return;
    const shown = findings.filter((one) => !one.classList.contains("hidden"));
    if (!shown.length) return;
    const at = shown.findIndex((one) => one.contains(document.activeElement));
    const next = shown[(at + (event.key === "j" ? 1 : shown.length - 1 + (at < 0 ? 1 : 0))) % shown.length];
    next.querySelector("summary").focus();
  });
  filter();
  root.dataset.ready = "yes";
})();
