// The live page: asks the console for the picture of this second and writes it into the document.
// Data only ever becomes text (textContent) or numbers in SVG; nothing is loaded from elsewhere.

const PERIOD_MS = 1000;
const LATE_MS = 4000; // without a picture for so long the page says that it stands still
const TRAIL = 120;
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

function setText(node, value) {
  const text = value === null || value === undefined ? "–" : String(value);
  if (node.textContent !== text) node.textContent = text;
}

function setClass(node, value) {
  if (node.getAttribute("class") !== value) node.setAttribute("class", value);
}

function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function svg(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// --- figures --------------------------------------------------------------------------------------

const whole = (value) => (value === null || value === undefined ? null : Math.round(value));
const fixed = (value, digits) => (value === null || value === undefined ? null : value.toFixed(digits));
const percent = (value, digits = 1) => (value === null || value === undefined ? null : `${value.toFixed(digits)} %`);

function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return null;
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86400)} d`;
}

const between = (from, to) => (from ? (Date.parse(to) - Date.parse(from)) / 1000 : null);

let zone = null;
let clockFormat;
let dateFormat;

function useZone(name) {
  if (name === zone) return;
  zone = name;
  const make = (options) => {
    try {
      return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: name });
    } catch {
      return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
    }
  };
  clockFormat = make({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  dateFormat = make({ weekday: "short", day: "numeric", month: "short" });
}

const clock = (text) => (text ? clockFormat.format(new Date(text)) : null);

// --- rows -----------------------------------------------------------------------------------------

// Keeps the rows of a list as its items are: same key, same row; order as given.
function sync(parent, items, keyOf, make, fill) {
  const rows = (parent.rowsByKey ??= new Map());
  const seen = new Set();
  let next = parent.firstElementChild;
  for (const item of items) {
    let key = keyOf(item);
    while (seen.has(key)) key += "′";
    seen.add(key);
    let row = rows.get(key);
    if (!row) {
      row = make(item);
      rows.set(key, row);
    }
    fill(row, item);
    if (row === next) next = next.nextElementSibling;
    else parent.insertBefore(row, next);
  }
  for (const [key, row] of rows) {
    if (seen.has(key)) continue;
    row.remove();
    rows.delete(key);
  }
  const empty = byId(`no-${parent.id}`);
  if (empty) empty.hidden = items.length > 0;
}

// A table row whose cells carry their column's heading for the narrow form.
function tableRow(tbody) {
  const row = element("tr");
  row.cellsOf = [...tbody.closest("table").querySelectorAll("th")].map((heading) => {
    const cell = element("td", heading.className);
    cell.dataset.label = heading.textContent;
    row.append(cell);
    return cell;
  });
  return row;
}

function table(id, items, keyOf, valuesOf) {
  const tbody = byId(id);
  sync(tbody, items, keyOf, () => tableRow(tbody), (row, item) => {
    valuesOf(item).forEach((value, i) => setText(row.cellsOf[i], value));
  });
}

function twoLines(cell, first, second) {
  if (!cell.lines) cell.lines = [cell.appendChild(element("span")), cell.appendChild(element("small"))];
  setText(cell.lines[0], first);
  setText(cell.lines[1], second);
}

// --- trails of permits ----------------------------------------------------------------------------

let trails = new Map();
let trailsUpTo = null; // number of the last picture in them

async function loadTrails() {
  const answer = await fetch("/trails.json");
  if (!answer.ok) return;
  const loaded = await answer.json();
  trails = new Map(Object.entries(loaded.trails));
  trailsUpTo = loaded.number;
}

async function lengthenTrails(picture) {
  if (trailsUpTo === null || picture.number < trailsUpTo || picture.number > trailsUpTo + 1) {
    await loadTrails();
    return;
  }
  if (picture.number === trailsUpTo) return;
  trailsUpTo = picture.number;
  const isFresh = !picture.sections.pacing?.problem;
  const longer = new Map();
  for (const target of picture.targets) {
    const points = trails.get(target.name) ?? [];
    points.push(isFresh ? target.permits : null);
    longer.set(target.name, points.slice(-TRAIL));
  }
  trails = longer;
}

function drawTrail(cell, points) {
  if (!cell.path) {
    const picture = svg("svg", { class: "trail", viewBox: "0 0 120 28", preserveAspectRatio: "none", role: "img" });
    cell.label = picture.appendChild(svg("title"));
    picture.append(svg("line", { x1: 0, x2: 120, y1: 27, y2: 27 }));
    cell.path = picture.appendChild(svg("path"));
    cell.append(picture);
  }
  const highest = Math.max(1, ...points.filter((point) => point !== null));
  const start = TRAIL - points.length;
  let path = "";
  let isDrawing = false;
  points.forEach((point, i) => {
    if (point === null) {
      isDrawing = false;
      return;
    }
    const y = (26 - (24 * point) / highest).toFixed(1);
    path += isDrawing ? `V${y}H${start + i + 1}` : `M${start + i} ${y}H${start + i + 1}`;
    isDrawing = true;
  });
  cell.path.setAttribute("d", path);
  setText(cell.label, `permits in the last two minutes, at most ${highest}`);
}

// --- abandonment against the goal -----------------------------------------------------------------

// The bar reaches to twice the goal, so that the goal's mark stands in the middle.
function drawBar(cell, share, goal) {
  if (!cell.fill) {
    cell.words = cell.appendChild(element("span", "number"));
    cell.bar = svg("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
    cell.bar.append(svg("rect", { class: "track", width: 100, height: 6 }));
    cell.fill = cell.bar.appendChild(svg("rect", { class: "fill", height: 6 }));
    cell.mark = cell.bar.appendChild(svg("rect", { class: "goal", width: 1, height: 6 }));
    cell.append(cell.bar);
  }
  const isOver = share !== undefined && share !== null && share > goal;
  const reach = Math.min(100, Math.max(1, 2 * goal));
  const measured = share === undefined || share === null ? "none yet" : percent(share);
  setText(cell.words, `${measured} ${isOver ? "above" : "of"} ${goal} %`);
  setClass(cell.words, isOver ? "number bad" : "number");
  setClass(cell.bar, isOver ? "bar over" : "bar");
  cell.fill.setAttribute("width", Math.min(100, (100 * (share ?? 0)) / reach));
  cell.mark.setAttribute("x", Math.min(99, (100 * goal) / reach));
}

// --- sections -------------------------------------------------------------------------------------

function showHeader(picture) {
  const { site } = picture;
  const cluster = site.cluster;
  useZone(site.time_zone);
  setText(byId("clock"), clock(site.business_now));
  setText(byId("date"), dateFormat.format(new Date(site.business_now)));
  setText(byId("speed"), site.speed === 1 ? "" : `× ${site.speed}`);
  setText(byId("cluster"), cluster?.cluster ?? "");
  setText(byId("epoch"), cluster?.epoch);
  setText(byId("sequence"), cluster?.sequence);
  const trip = cluster?.last_round_trip_ms;
  setText(byId("round-trip"), trip === null || trip === undefined ? null : `${trip.toFixed(1)} ms`);
  setText(byId("master"), cluster ? (cluster.nodes ?? []).find((node) => node.is_master)?.name ?? "none" : null);
  const isAway = Boolean(picture.sections.pacing?.problem);
  const pacing = byId("pacing");
  setText(pacing, isAway ? "away" : !cluster ? "–" : cluster.is_stopped ? "stopped" : "running");
  setClass(pacing, isAway ? "bad" : cluster?.is_stopped ? "warn" : "good");
}

// Each figure of the top row; one whose server cannot be read is not shown at all.
function showTiles(picture) {
  const { targets, agents, sections } = picture;
  const tile = (id, section, value, isBad = false) => {
    const isKnown = !sections[section]?.problem;
    setText(byId(id), isKnown ? value : null);
    setClass(byId(id), isKnown && isBad ? "bad" : "");
  };
  const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const everyone = agents.filter((row) => row.group === null);
  const counted = everyone.length ? everyone : agents;
  const above = targets.filter((target) => (target.abandonment_percent ?? 0) > target.goal_percent).length;
  const active = picture.alarms.filter((alarm) => !alarm.cleared_at).length;
  tile("sum-permits", "pacing", sum(targets, "permits"));
  tile("sum-pending", "pacing", sum(targets, "pending"));
  tile("sum-waiting", "virtual_queues", sum(picture.virtual_queues, "waiting"));
  tile("sum-agents", "agents", ["ready", "busy", "not_ready"].map((name) => sum(counted, name)).join(" · "));
  tile("sum-goal", "pacing", `${above} of ${targets.length}`, above > 0);
  tile("sum-alarms", "alarms", active, active > 0);
  document.title = `${active ? `(${active}) ` : ""}Live · Paceline`;
}

function showTargets(picture) {
  const engine = new Map(picture.engagement.map((row) => [row.id, row]));
  const tbody = byId("targets");
  sync(tbody, picture.targets, (target) => target.name, () => tableRow(tbody), (row, target) => {
    const [name, permits, trail, why, ready, busy, waiting, pending, accepted, goal, used] = row.cellsOf;
    const sent = engine.get(target.name);
    twoLines(name, target.virtual_queue, `${target.media_type} · ${target.agent_groups.join(", ")}`);
    setText(permits, target.permits);
    permits.classList.add("permits");
    drawTrail(trail, trails.get(target.name) ?? []);
    setText(why, target.reason_text);
    setClass(why, ["misconfigured", "no_statistics", "stale_statistics", "engine_unreachable", "stopped"].includes(target.reason) ? "warn" : "");
    setText(ready, whole(target.ready));
    setText(busy, whole(target.busy));
    setText(waiting, whole(target.waiting));
    setText(pending, whole(target.pending ?? sent?.pending));
    twoLines(accepted, sent?.accepted ?? whole(target.accepted), sent ? `of ${sent.sent}` : "");
    drawBar(goal, target.abandonment_percent, target.goal_percent);
    setText(used, target.utilization === undefined ? null : percent(100 * target.utilization, 0));
  });
}

function showAgents(picture) {
  const tbody = byId("agents");
  const key = (row) => `${row.group ?? ""}\n${row.media_type}`;
  sync(tbody, picture.agents, key, () => tableRow(tbody), (row, item) => {
    setClass(row, item.group === null ? "together" : "");
    const values = [item.group ?? "All groups", item.media_type, item.ready, item.busy, item.not_ready, item.handling];
    values.forEach((value, i) => setText(row.cellsOf[i], value));
  });
}

function showQueues(picture) {
  const now = picture.site.business_now;
  const views = new Map();
  for (const view of picture.views) {
    views.set(view.queue, [...(views.get(view.queue) ?? []), `${view.name} ${view.depth}`]);
  }
  table("queues", picture.queues, (row) => row.name, (row) => [
    row.name, (views.get(row.name) ?? []).join(", "), row.depth, duration(between(row.oldest_at, now)),
  ]);
  const tbody = byId("virtual-queues");
  sync(tbody, picture.virtual_queues, (row) => row.number, () => tableRow(tbody), (row, item) => {
    const [name, waiting, ringing, oldest] = row.cellsOf;
    twoLines(name, item.number, [item.media_type ?? "no medium", (item.agent_groups ?? []).join(", ")].join(" · "));
    setText(waiting, item.waiting);
    setText(ringing, item.ringing);
    setText(oldest, duration(between(item.oldest_at, now)));
  });
}

const LOOKS = { started: "dot good", initializing: "dot warn", unavailable: "dot bad", unknown: "dot bad" };

function showServers(picture) {
  const tbody = byId("servers");
  sync(tbody, picture.servers, (row) => row.application, () => tableRow(tbody), (row, item) => {
    const [name, status, address, reported] = row.cellsOf;
    twoLines(name, item.application, `${item.application_type.replaceAll("_", " ")} · ${item.mode}`);
    status.dot ??= status.appendChild(element("span"));
    status.why ??= status.appendChild(element("small"));
    setText(status.dot, item.status);
    setClass(status.dot, LOOKS[item.status] ?? "dot");
    setText(status.why, item.reason ?? "");
    setText(address, Object.values(item.urls ?? {}).map((url) => url.replace(/^http:\/\//, "")).join(" ") || null);
    const age = duration(between(item.reported_at, picture.site.machine_now));
    setText(reported, age === null ? null : `${age} ago`);
  });
}

function note(tags) {
  const item = element("li");
  item.parts = tags.map(([tag, className]) => item.appendChild(element(tag, className)));
  return item;
}

function showAlarms(picture) {
  sync(byId("alarms"), picture.alarms, (alarm) => String(alarm.id), () => note([["b"], ["small"]]), (item, alarm) => {
    setClass(item, alarm.cleared_at ? "over" : "active");
    setText(item.parts[0], `${alarm.condition}: ${alarm.text}`);
    const when = alarm.cleared_at
      ? `from ${clock(alarm.detected_at)} to ${clock(alarm.cleared_at)}, cleared by ${alarm.cleared_by ?? "its cancel event"}`
      : `since ${clock(alarm.detected_at)}`;
    setText(item.parts[1], [alarm.category, alarm.application, alarm.subject, when].filter(Boolean).join(" · "));
  });
  byId("no-alarms").hidden = picture.alarms.some((alarm) => !alarm.cleared_at);
}

function showFindings(picture) {
  const key = (row) => [row.object, row.field, row.consequence, row.fix].join("\n");
  const make = () => note([["b"], ["span"], ["small"], ["span", "fix"]]);
  sync(byId("findings"), picture.findings, key, make, (item, row) => {
    setText(item.parts[0], `${row.object}, ${row.field}: `);
    setText(item.parts[1], row.consequence);
    setText(item.parts[2], `told by ${row.told_by.join(", ")}`);
    setText(item.parts[3], row.fix);
  });
}

function showEvents(picture) {
  table("events", picture.events, (row) => row.position, (row) => [
    clock(row.at), row.what, row.media_type ?? "", row.where ?? "", row.agent ?? "", row.reason ?? "",
    row.interaction_id ?? "",
  ]);
}

function showStates(picture) {
  for (const node of document.querySelectorAll("[data-section]")) {
    const state = picture.sections[node.dataset.section];
    if (node.dataset.section !== "engagement") node.parentElement.classList.toggle("old", Boolean(state?.problem));
    const age = state?.age_s === null || state?.age_s === undefined ? "" : ` Figures are ${duration(state.age_s)} old.`;
    setText(node, state?.problem ? `${state.problem[0].toUpperCase()}${state.problem.slice(1)}.${age}` : "");
  }
  for (const node of document.querySelectorAll("[data-more]")) {
    setText(node, picture.incomplete.includes(node.dataset.more) ? "· only the first are shown" : "");
  }
}

function show(picture) {
  showHeader(picture);
  showStates(picture);
  showTiles(picture);
  showAlarms(picture);
  showTargets(picture);
  showAgents(picture);
  showQueues(picture);
  showServers(picture);
  showFindings(picture);
  showEvents(picture);
}

// --- the loop -------------------------------------------------------------------------------------

let arrivedAt = null;

function showLink(isLate) {
  const link = byId("link");
  setText(link, isLate ? "no answer" : "live");
  setClass(link, isLate ? "dot bad" : "dot good");
}

async function update() {
  const answer = await fetch("/live.json", { signal: AbortSignal.timeout(LATE_MS) });
  if (answer.status === 401) {
    location.replace("/");
    return;
  }
  if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
  const picture = await answer.json();
  await lengthenTrails(picture);
  show(picture);
  arrivedAt = performance.now();
}

async function run() {
  const startedAt = performance.now();
  try {
    await update();
    showLink(false);
  } catch (problem) {
    if (arrivedAt === null || performance.now() - arrivedAt > LATE_MS) showLink(true);
    console.warn(String(problem));
  }
  setTimeout(run, Math.max(100, PERIOD_MS - (performance.now() - startedAt)));
}

run();
