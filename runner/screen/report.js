"use strict";
const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (id) => document.getElementById(id);
const tray = one("tray");
const served = "writes" in tray.dataset; // by a server of this machine, which writes the picks
const wanted = { status: "", model: "", text: "" };
let takes = [];
let texts = new Map();

function gather() {
  takes = all(".take");
  texts = new Map(takes.map((take) => [take, take.textContent.toLowerCase()]));
}
const named = (id) => takes.find((take) => take.dataset.take === id);

function filter() {
  let shown = 0;
  for (const take of takes) {
    const { status, model } = take.dataset;
    take.hidden = !((!wanted.status || status === wanted.status) && (!wanted.model || model === wanted.model)
      && texts.get(take).includes(wanted.text));
    shown += !take.hidden;
  }
  for (const variant of all(".variant")) variant.hidden = !variant.querySelector(".take:not([hidden])");
  for (const chip of all("#chips button")) chip.setAttribute("aria-pressed", String(chip.dataset.status === wanted.status));
  one("none").hidden = shown > 0;
}

one("chips").addEventListener("click", (event) => {
  const chip = event.target.closest("button");
  if (!chip) return;
  wanted.status = chip.dataset.status;
  filter();
});
one("model").addEventListener("change", (event) => { wanted.model = event.target.value; filter(); });
one("search").addEventListener("input", (event) => { wanted.text = event.target.value.toLowerCase(); filter(); });
one("keys").addEventListener("click", () => {
  one("help").hidden = !one("help").hidden;
  one("keys").setAttribute("aria-expanded", String(!one("help").hidden));
});

// A clip is opened when somebody looks at it, and let go when nobody does.
function play(take, { sound = false } = {}) {
  if (!take?.dataset.clip || take.querySelector("video")) return;
  const video = document.createElement("video");
  Object.assign(video, { src: take.dataset.clip, muted: !sound, loop: true, playsInline: true, controls: sound });
  video.dataset.held = sound ? "yes" : "";
  take.querySelector(".still").append(video);
  video.play().catch(() => {});
}
function stop(take, held = true) {
  const video = take?.querySelector("video");
  if (!video || (!held && video.dataset.held)) return;
  close(video);
}
function close(video) {
  video.removeAttribute("src");
  video.load();
  video.remove();
}
function toggle(take) {
  const video = take.querySelector("video");
  if (video?.dataset.held) return stop(take);
  stop(take);
  for (const other of takes) if (other !== take) stop(other);
  play(take, { sound: true });
}
const over = (event) => event.target.closest?.(".still")?.closest(".take");
document.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse") play(over(event)); });
document.addEventListener("pointerout", (event) => {
  const take = over(event);
  if (take && !take.querySelector(".still").contains(event.relatedTarget)) stop(take, false);
});
document.addEventListener("click", (event) => {
  const take = over(event);
  if (take && event.target.tagName !== "VIDEO") toggle(take);
  else if (take && !event.target.dataset.held) toggle(take);
});

// The clips of a shot, large, from one beginning to one end.
const clips = () => all("#clips video");
function compare(variant) {
  const found = all(".take[data-clip]:not([hidden])", variant);
  if (found.length < 2) return;
  for (const take of takes) stop(take);
  one("whose").textContent = variant.querySelector("h2 > span").textContent;
  one("clips").replaceChildren(...found.map((take, place) => {
    const item = document.createElement("li");
    const video = document.createElement("video");
    const label = document.createElement("label");
    const box = document.createElement("input");
    Object.assign(video, { src: take.dataset.clip, muted: true, playsInline: true, preload: "auto" });
    Object.assign(box, { type: "checkbox", checked: take.classList.contains("chosen") });
    box.addEventListener("change", () => { wish(take, "pick", box.checked); });
    const [name, facts] = [take.querySelector(".top b").textContent, take.querySelector(".small").textContent];
    const badge = take.querySelector(".badge")?.textContent;
    label.append(box, badge ? ` ${name} (${badge})` : ` ${name}`);
    label.title = `${facts}: key ${place + 1}`;
    item.dataset.take = take.dataset.take;
    item.append(video, label);
    return item;
  }));
  one("side").showModal();
  again();
}
function again() {
  for (const video of clips()) {
    video.currentTime = 0;
    video.play().catch(() => {});
  }
  one("pause").textContent = "pause";
}
function pause() {
  const running = clips().some((video) => !video.paused);
  for (const video of clips()) running ? video.pause() : video.play().catch(() => {});
  one("pause").textContent = running ? "play" : "pause";
}
one("pause").addEventListener("click", pause);
one("shut").addEventListener("click", () => one("side").close());
one("side").addEventListener("close", () => { for (const video of clips()) close(video); one("clips").replaceChildren(); });
one("side").addEventListener("ended", () => { if (clips().every((video) => video.ended)) again(); }, true);
one("side").addEventListener("click", (event) => {
  if (event.target === one("side")) one("side").close();
  if (event.target.tagName === "VIDEO") for (const video of clips()) video.muted = video !== event.target || !video.muted;
});
document.addEventListener("click", (event) => {
  if (event.target.matches?.(".compare")) compare(event.target.closest(".variant"));
});

// What is wished of takes: by take {do, note}. One take of a variant is chosen; all choices make one line, or one writing.
const wishes = new Map();
const classes = { pick: "chosen", unpick: "let-go", reject: "turned-down" };
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\"'\"'")}'`);
function show(take) {
  const made = wishes.get(take.dataset.take);
  for (const [name, style] of Object.entries(classes)) take.classList.toggle(style, made?.do === name);
  for (const box of all(".acts input", take)) box.checked = made?.do === box.dataset.do;
  const why = take.querySelector(".why");
  if (why) {
    why.hidden = !made || made.do === "unpick";
    if (why.value !== (made?.note ?? "")) why.value = made?.note ?? "";
  }
}
function tell() {
  const of = (name) => [...wishes].filter(([, made]) => made.do === name).map(([id]) => id);
  const said = { pick: "to pick", unpick: "to unpick", reject: "to reject" };
  const parts = Object.keys(said).filter((name) => of(name).length).map((name) => `${of(name).length} ${said[name]}: ${of(name).join(", ")}`);
  const order = takes.map((take) => take.dataset.take).filter((id) => wishes.get(id)?.do === "pick");
  one("line").textContent = served ? parts.join(" \u00b7 ") : [tray.dataset.pick, ...order.map(quoted)].join(" ");
  one("wishes").hidden = wishes.size === 0;
  tray.hidden = wishes.size === 0 && one("told").hidden;
}
function wish(take, what, on) {
  if (!take.querySelector(`.acts [data-do=${what}]`)) return;
  const id = take.dataset.take;
  const note = wishes.get(id)?.note ?? "";
  wishes.delete(id);
  if (on) {
    const others = all(".take", take.closest(".variant")).filter((other) => other !== take);
    for (const other of others) if (what === "pick" && wishes.get(other.dataset.take)?.do !== "reject") wishes.delete(other.dataset.take);
    wishes.set(id, { do: what, note });
  }
  for (const other of all(".take", take.closest(".variant"))) show(other);
  for (const item of all("#clips li")) item.querySelector("input").checked = wishes.get(item.dataset.take)?.do === "pick";
  tell();
}
const wished = (take, what) => wishes.get(take.dataset.take)?.do === what;
document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches(".acts input")) wish(target.closest(".take"), target.dataset.do, target.checked);
});
document.addEventListener("input", (event) => {
  const made = event.target.matches(".why") && wishes.get(event.target.closest(".take").dataset.take);
  if (made) made.note = event.target.value;
});
one("clear").addEventListener("click", () => { wishes.clear(); takes.forEach(show); tell(); });
one("copy")?.addEventListener("click", async () => {
  const line = one("line");
  try {
    await navigator.clipboard.writeText(line.textContent);
    one("copy").textContent = "copied";
    setTimeout(() => { one("copy").textContent = "copy"; }, 1500);
  } catch {
    getSelection().selectAllChildren(line);
  }
});

function say(text, fault = false) {
  one("words").textContent = text;
  one("told").classList.toggle("error", fault);
  one("told").hidden = !text;
  tell();
}
one("read").addEventListener("click", () => say(""));
async function write() {
  const button = one("write");
  if (!wishes.size || button.disabled) return;
  const asked = [...wishes].map(([id, made]) => {
    const take = named(id);
    return { ...made, take: id, clip: take.dataset.sha256 ?? "", mark: take.closest(".variant").dataset.mark };
  });
  button.disabled = true;
  try {
    const answer = await fetch("picks", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ takes: asked }),
    });
    const told = await answer.json();
    if (answer.ok) {
      wishes.clear();
      takes.forEach(show);
      say([...told.lines, `written: ${told.file}`].join("\n"));
    } else say(told.error, true);
  } catch {
    say("nobody answers: is `shotrunner report --serve` still running?", true);
  }
  button.disabled = false;
  await renew();
}
one("write")?.addEventListener("click", write);

// A page that is served follows what a run makes and what is picked elsewhere: only the shots that changed are drawn anew.
let drawn = served ? new Map(all(".variant").map((variant) => [variant.dataset.variant, variant.outerHTML])) : null;
let last = tray.dataset.now;
let lost = false; // the server
let faulty = false; // the files, as they are now
async function renew() {
  const answer = await fetch("./");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) {
    faulty = true;
    return say(page.getElementById("fault")?.textContent ?? "the page cannot be made", true);
  }
  if (faulty) say("");
  faulty = false;
  for (const id of ["head", "chips", "model"]) {
    if (one(id).innerHTML !== page.getElementById(id).innerHTML) one(id).replaceChildren(...page.getElementById(id).childNodes);
  }
  one("model").value = wanted.model;
  const here = document.activeElement?.closest(".take")?.dataset.take;
  const typing = document.activeElement?.matches(".why");
  const old = new Map(all(".variant").map((variant) => [variant.dataset.variant, variant]));
  const fresh = new Map(all(".variant", page).map((variant) => [variant.dataset.variant, [variant, variant.outerHTML]]));
  const kept = [...fresh].map(([id, [variant, html]]) => (drawn.get(id) === html && old.get(id)) || carried(old.get(id), variant));
  if (kept.some((variant, place) => variant !== [...old.values()][place]) || kept.length !== old.size) {
    kept.forEach((variant, place) => {
      const there = one("main").children[place];
      if (there !== variant) there.before(variant);
    });
    for (const variant of all(".variant").slice(kept.length)) variant.remove();
  }
  drawn = new Map([...fresh].map(([id, [, html]]) => [id, html]));
  gather();
  for (const id of wishes.keys()) if (!named(id)) wishes.delete(id);
  takes.forEach(show);
  filter();
  tell();
  if (here && !document.activeElement?.closest(".take")) (typing ? named(here)?.querySelector(".why") : named(here))?.focus();
}
function carried(old, variant) {
  const open = old ? all(".take", old).filter((take) => take.querySelector("details").open).map((take) => take.dataset.take) : [];
  for (const take of all(".take", variant)) take.querySelector("details").open = open.includes(take.dataset.take);
  return variant;
}
async function follow() {
  const begun = performance.now();
  try {
    const { now } = await (await fetch("now")).json();
    if (lost) say("");
    lost = false;
    if (now !== last) {
      last = now;
      await renew();
    }
  } catch {
    if (!lost) say("nobody answers: is `shotrunner report --serve` still running?", true);
    lost = true;
  }
  setTimeout(follow, Math.max(document.hidden ? 10000 : 1500, 4 * (performance.now() - begun)));
}

const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
const acts = { p: "pick", x: "reject", u: "unpick" };
function move([rows, columns]) {
  const here = document.activeElement.closest?.(".take");
  const seen = takes.filter((take) => !take.hidden);
  if (!here || here.hidden) return seen[0]?.focus();
  if (columns) return seen[seen.indexOf(here) + columns]?.focus();
  const variants = all(".variant:not([hidden])");
  const next = variants[variants.indexOf(here.closest(".variant")) + rows];
  next?.querySelector(".take:not([hidden])")?.focus();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), select")) {
    if (event.key === "Escape") event.target.closest(".take")?.focus() ?? event.target.blur();
    return;
  }
  if (one("side").open) {
    const take = named(all("#clips li")[Number(event.key) - 1]?.dataset.take);
    if (take) wish(take, "pick", !wished(take, "pick"));
    else if (event.key === " " && !event.target.matches("button, input")) pause();
    else return;
    event.preventDefault();
    return;
  }
  const take = document.activeElement.closest?.(".take");
  const own = take && document.activeElement === take;
  if (event.key === "/") one("search").focus();
  else if (steps[event.key]) move(steps[event.key]);
  else if (own && event.key === " ") toggle(take);
  else if (take && acts[event.key]) wish(take, acts[event.key], !wished(take, acts[event.key]));
  else if (take && event.key === "c") compare(take.closest(".variant"));
  else if (own && event.key === "Enter") take.querySelector("details").toggleAttribute("open");
  else if (event.key === "Escape") for (const other of takes) stop(other);
  else return;
  event.preventDefault();
});

gather();
if (served) follow();
