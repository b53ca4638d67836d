// Asks for status.json every two seconds, and lets time go by in between. Everything comes in as text, never as HTML.

const PAUSE = 2_000; // between two answers, in milliseconds
const PATIENCE = 5_000; // with one answer

const PHASES = {
  idle: ["Not asked for yet", "quiet"],
  acquiring: ["Getting a credential", "busy"],
  fresh: ["Fresh", "good"],
  renewing: ["Renewing", "busy good"],
  waiting: ["Renewal failed, still usable", "doubt"],
  failed: ["No credential", "bad"],
  closed: ["Closed", "quiet"],
};

const byId = (id) => document.getElementById(id);
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

let report; // the last one
let receivedAt; // on the clock of this page, which nobody sets
let unreachableSince;

// What the clock of the serving machine shows now.
const now = () => Date.parse(report.now) + performance.now() - receivedAt;

async function ask() {
  try {
    const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    report = await answer.json();
    receivedAt = performance.now();
    unreachableSince = undefined;
    show();
  } catch {
    unreachableSince ??= new Date();
  }
  reachability();
  if (!document.hidden) timer = setTimeout(ask, PAUSE);
}

// A page that nobody sees asks nothing.
let timer;
document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden) ask();
});
setInterval(() => report && report.connections.forEach(lease), 1_000);
ask();

function reachability() {
  const lost = unreachableSince !== undefined;
  document.body.classList.toggle("stale", lost);
  byId("unreachable").hidden = !lost;
  if (lost) text(byId("unreachable"), `No answer since ${clock(unreachableSince)}. What is shown was known then.`);
}

function show() {
  const summary = summarise(report.connections);
  text(byId("summary"), summary);
  document.title = report.connections.every((each) => each.usable) ? "Keyless" : `(!) ${summary} Keyless`;
  list(byId("connections"), "connection", report.connections, connection);
  list(byId("listeners"), "listener", report.listeners, listener);
  text(byId("serving"), `Version ${report.version}, serving since ${clock(new Date(report.started_at))}.`);
}

function summarise(connections) {
  const without = connections.filter((each) => !each.usable).map((each) => each.name);
  const doubtful = connections.filter((each) => each.usable && each.phase === "waiting").map((each) => each.name);
  if (connections.length === 0) return "No connection is in use.";
  if (without.length > 0) {
    return `${without.length} of ${plural(connections.length, "connection")} without a usable credential: ${without.join(", ")}.`;
  }
  const all = connections.length === 1 ? "The connection holds" : `All ${connections.length} connections hold`;
  const doubt = doubtful.length > 0 ? `; the renewal failed for ${doubtful.join(", ")}` : "";
  return `${all} a usable credential${doubt}.`;
}

// One element for each item, in the order of the items; those that stay are kept.
function list(parent, template, items, fill) {
  const known = new Map([...parent.children].map((element) => [element.dataset.name, element]));
  items.forEach((item, position) => {
    const element = known.get(item.name) ?? byId(template).content.firstElementChild.cloneNode(true);
    known.delete(item.name);
    element.dataset.name = item.name;
    if (parent.children[position] !== element) parent.insertBefore(element, parent.children[position] ?? null);
    fill(element, item);
  });
  known.forEach((element) => element.remove());
}

function connection(element, item) {
  const [phase, tones] = PHASES[item.phase] ?? [item.phase, "quiet"];
  const [icon, tone = icon] = tones.split(" ");
  element.className = `card ${tone}`;
  element.querySelector("use").setAttribute("href", `#icon-${icon}`);
  field(element, "name", item.name);
  field(element, "phase", phase);
  field(element, "api", item.base_url ?? "");
  for (const name of ["generation", "renewals", "failures", "failures_in_a_row", "replacements"]) {
    field(element, name, item[name].toLocaleString());
  }
  const problem = element.querySelector(".problem");
  problem.hidden = item.problem === null;
  if (item.problem !== null) {
    text(problem.querySelector(".title"), "The last attempt failed");
    field(element, "message", item.problem.message);
    field(element, "code", item.problem.code);
  }
  lease(item);
}

// The part that time changes.
function lease(item) {
  const element = [...byId("connections").children].find((each) => each.dataset.name === item.name);
  if (element === undefined) return;
  const bar = element.querySelector(".lease");
  const endless = item.usable && item.expires_at === null;
  const [from, to] = [Date.parse(item.obtained_at ?? item.renew_at ?? report.now), Date.parse(item.expires_at)];
  const left = (at) => `${(Math.min(1, Math.max(0, (at - from) / Math.max(1, to - from))) * 100).toFixed(2)}%`;
  const usable = item.usable && (endless || now() < to);
  bar.classList.toggle("endless", endless);
  bar.classList.toggle("none", !usable);
  if (usable && !endless) {
    bar.style.setProperty("--now", left(now()));
    bar.style.setProperty("--renewal", item.renew_at === null ? "100%" : left(Date.parse(item.renew_at)));
  }
  const renews = item.phase === "fresh" && item.usable;
  const shown = [
    moment(element, "obtained", "Obtained", usable ? item.obtained_at : null),
    moment(element, "next", renews ? "Renewal" : "Next attempt", endless ? null : item.next_attempt_at),
    moment(element, "end", usable ? "End" : "Ended", endless ? null : item.expires_at),
  ];
  const state = endless ? "It does not expire." : usable ? "" : "No usable credential.";
  const note = element.querySelector(".note");
  note.hidden = !endless;
  text(note, state);
  bar.setAttribute("aria-label", [state, ...shown].filter(Boolean).join(" "));
}

// Shows it, and says it in words.
function moment(element, name, label, value) {
  const place = element.querySelector(`[data-is="${name}"]`);
  place.hidden = value === null;
  if (value === null) return "";
  const at = new Date(value);
  const time = place.querySelector("time");
  time.dateTime = value;
  const distance = name === "next" && at <= now() ? "due" : away(at - now());
  text(place.querySelector(".label"), label);
  text(time, clock(at));
  text(place.querySelector(".distance"), distance);
  return `${label} ${clock(at)}, ${distance}.`;
}

function listener(element, item) {
  field(element, "name", item.name);
  field(element, "address", item.address);
  for (const name of ["open_connections", "refused_requests"]) field(element, name, item[name].toLocaleString());
  for (const [status, count] of Object.entries(item.answers)) {
    if (status !== "1xx") field(element, status, count.toLocaleString());
  }
  const happened = Object.entries(item.events).filter(([, count]) => count > 0);
  const events = happened.map(([name, count]) => ({ name, count }));
  list(element.querySelector(".events"), "event", events, (row, event) => {
    field(row, "name", sentence(event.name));
    field(row, "count", event.count.toLocaleString());
  });
}

// `upstream-timeout` as people write it.
const sentence = (name) => name[0].toUpperCase() + name.slice(1).replaceAll("-", " ");

function field(element, name, value) {
  text(element.querySelector(`[data-is="${name}"]`), value);
}

// Only what differs is written: a screen reader reads what changes.
function text(element, value) {
  if (element.textContent !== String(value)) element.textContent = value;
}

function clock(at) {
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(undefined, { timeStyle: "medium", ...(today ? {} : { dateStyle: "medium" }) });
}

function away(milliseconds) {
  const seconds = Math.round(Math.abs(milliseconds) / 1_000);
  if (seconds === 0) return "now";
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  const parts = units.slice(first, first + 2).map(([unit, size], position) => {
    const whole = position === 0 ? seconds : seconds % units[first][1];
    return [Math.floor(whole / size), unit];
  });
  // Of a quarter of an hour nobody wants the seconds.
  if (seconds >= 600 && seconds < 3_600) parts.pop();
  const words = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
  return milliseconds > 0 ? `in ${words}` : `${words} ago`;
}
